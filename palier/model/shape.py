"""What a type hint asks of a file: one description for the reader and for the JSON Schema."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import re
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

from palier.model.bounds import Bounds
from palier.model.words import OneOf, Refers


@dataclass(frozen=True, slots=True)
class Number:
    whole: bool
    bounds: Bounds | None = None


@dataclass(frozen=True, slots=True)
class Text:
    refers: Refers | None = None


@dataclass(frozen=True, slots=True)
class Truth:
    pass


@dataclass(frozen=True, slots=True)
class Words:
    """One of some words."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListOf:
    item: Shape


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping of names to values; in Python a tuple of pairs."""

    key: Shape
    value: Shape


@dataclass(frozen=True, slots=True)
class ById:
    """A mapping of ids to records; in Python a tuple of objects that have an ``id``."""

    record: Record


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    shape: Shape
    required: bool
    nullable: bool
    default: Any
    help: str


@dataclass(frozen=True, slots=True)
class Record:
    make: Callable[..., Any]
    name: str
    help: str
    fields: tuple[Field, ...]

    def field(self, name: str) -> Field | None:
        return next((one for one in self.fields if one.name == name), None)


Shape: TypeAlias = Number | Text | Truth | Words | ListOf | Table | ById | Record


@functools.cache
def record_of(cls: type) -> Record:
    """The shape of a dataclass."""
    hints = get_type_hints(cls, include_extras=True)
    helps = _field_helps(cls)
    fields = tuple(
        _field(one, hints[one.name], helps.get(one.name, "")) for one in dataclasses.fields(cls)
    )
    summary = (inspect.getdoc(cls) or "").split("\n\n")[0].replace("\n", " ")
    return Record(make=cls, name=cls.__name__, help=summary, fields=fields)


def shape_of(hint: Any) -> Shape:
    """The shape of a type hint of a value class.

    Raises:
        TypeError: No file form has been decided for that hint.
    """
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _annotated(args[0], args[1:])
    if origin is Literal:
        return Words(args)
    if origin is tuple and args[-1] is Ellipsis:
        return _many(args[0])
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return record_of(hint)
    if hint in (int, float):
        return Number(whole=hint is int)
    if hint is bool:
        return Truth()
    if hint is str:
        return Text()
    raise TypeError(f"no file form for the type hint {hint}")


def _annotated(hint: Any, extras: tuple[Any, ...]) -> Shape:
    for extra in extras:
        if isinstance(extra, OneOf):
            return Words(extra.words)
        if isinstance(extra, Refers):
            return Text(extra)
        if isinstance(extra, Bounds):
            return Number(whole=hint is int, bounds=extra)
    return shape_of(hint)


def _many(item: Any) -> Shape:
    if get_origin(item) is tuple:
        key, value = get_args(item)
        return Table(shape_of(key), shape_of(value))
    shape = shape_of(item)
    if isinstance(shape, Record) and shape.field("id") is not None:
        return ById(shape)
    return ListOf(shape)


def _field(one: dataclasses.Field[Any], hint: Any, help_text: str) -> Field:
    nullable = get_origin(hint) in (Union, types.UnionType) and type(None) in get_args(hint)
    if nullable:
        [hint] = [arg for arg in get_args(hint) if arg is not type(None)]
    default: Any = None
    required = False
    if one.default is not dataclasses.MISSING:
        default = one.default
    elif one.default_factory is not dataclasses.MISSING:
        default = one.default_factory()
    else:
        required = not nullable
    return Field(one.name, shape_of(hint), required, nullable, default, help_text)


_ATTRIBUTE = re.compile(r"^    (\w+): (.*(?:\n     +.*)*)", re.MULTILINE)


def _field_helps(cls: type) -> dict[str, str]:
    """The lines of the docstring's Attributes section, by field."""
    _, _, attributes = (inspect.getdoc(cls) or "").partition("Attributes:\n")
    found = _ATTRIBUTE.findall(attributes)
    return {name: " ".join(text.split()).replace("``", "`") for name, text in found}
