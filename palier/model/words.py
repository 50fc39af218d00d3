"""Annotations of text fields: one of some words, or a reference by id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class OneOf:
    """Text that must be one of ``words``: ``Annotated[str, OneOf(("ms", "s"))]``."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refers:
    """Text that must be the id of something else in the file.

    Attributes:
        to: ``plan`` of the system, ``target`` of the system or of the tier, or
            ``shared target``, one of the system's.
    """

    to: Literal["plan", "target", "shared target"]
