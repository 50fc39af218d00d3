"""What a school group consists of."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

Name = Annotated[str, Meta(min_length=1, max_length=200)]


class School(msgspec.Struct, frozen=True):
    """A school of the group."""

    id: UUID
    name: str
    city: str
    created_at: datetime


class Student(msgspec.Struct, frozen=True):
    """A student of one of the group's schools."""

    id: UUID
    school_id: UUID
    name: str
    created_at: datetime


class StaffMember(msgspec.Struct, frozen=True):
    """A member of staff of one of the group's schools."""

    id: UUID
    school_id: UUID
    name: str
    position: str
    created_at: datetime


class StoredFile(msgspec.Struct, frozen=True):
    """A file of the group; only its size matters here."""

    id: UUID
    name: str
    size_bytes: int
    created_at: datetime


class NewSchool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A school to be created."""

    name: Name
    city: Name


class NewStudent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A student to be enrolled in one of the group's schools."""

    school_id: UUID
    name: Name


class NewStaffMember(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A member of staff to be hired for one of the group's schools."""

    school_id: UUID
    name: Name
    position: Name


class NewFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file to be stored; the limits count its size, in bytes."""

    name: Name
    size_bytes: Annotated[int, Meta(ge=0, le=1_000_000_000_000_000)]


class SchoolChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be changed about a school."""

    name: Name | UnsetType = UNSET
    city: Name | UnsetType = UNSET


class StudentChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be changed about a student; another school is one of the same group."""

    school_id: UUID | UnsetType = UNSET
    name: Name | UnsetType = UNSET


class StaffChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be changed about a member of staff."""

    school_id: UUID | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    position: Name | UnsetType = UNSET


class FileChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be changed about a file: not its size, which the limits count on."""

    name: Name | UnsetType = UNSET


class SchoolModule(msgspec.Struct, frozen=True):
    """A module that a school works with.

    Attributes:
        usable: Whether the group's plan grants it now: a module that a smaller plan took away
            stays assigned and waits (B-28).
    """

    id: UUID
    slug: str
    name: str
    assigned_at: datetime
    usable: bool
