"""Frozen values to JSON and back, driven by the type hints of the dataclasses.

``to_jsonable`` followed by ``from_jsonable`` gives an equal value; plan.json, findings.json and
verdict.json are all written and read this way, so a new field needs no new code here.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import math
import types
from collections.abc import Mapping
from typing import (
    Annotated,
    Any,
    Literal,
    TypeAlias,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from palier.errors import RunFilesError

Jsonable: TypeAlias = "dict[str, Jsonable] | list[Jsonable] | str | int | float | bool | None"

T = TypeVar("T")

IGNORED_KEYS = ("schema",)
"""Keys a document carries beside the fields of its value."""


def to_jsonable(value: object) -> Jsonable:
    """What ``json.dumps`` can write; dataclasses become objects, tuples become lists.

    Raises:
        ValueError: A number is not finite (JSON has no such thing) or the type has no JSON form.
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, enum.Enum):
        return to_jsonable(value.value)
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value} cannot be written as JSON; use None for 'no number'")
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_jsonable(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_jsonable(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [to_jsonable(item) for item in value]
    raise ValueError(f"no JSON form for {type(value).__name__}")


def from_jsonable(
    cls: type[T],
    data: object,
    *,
    where: str = "JSON",
    ignore: tuple[str, ...] = IGNORED_KEYS,
) -> T:
    """The value of dataclass ``cls`` that ``data`` describes.

    Args:
        cls: A dataclass.
        data: What ``json.loads`` gave.
        where: File or place, for the error.
        ignore: Keys of the outermost object that are not fields.

    Raises:
        RunFilesError: A key is missing or unknown, or a value has the wrong type; says where.
    """
    if isinstance(data, Mapping):
        data = {key: item for key, item in data.items() if key not in ignore}
    result: T = _read(cls, data, where)
    return result


@functools.cache
def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)


def _read(hint: Any, data: object, where: str) -> Any:
    origin = get_origin(hint)
    if origin is Annotated:
        return _read(get_args(hint)[0], data, where)
    if origin is Literal:
        allowed = get_args(hint)
        if any(data == item and type(data) is type(item) for item in allowed):
            return data
        raise _wrong(data, " or ".join(repr(item) for item in allowed), where)
    if origin in (Union, types.UnionType):
        return _read_union(get_args(hint), data, where)
    if origin is tuple:
        return _read_tuple(get_args(hint), data, where)
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        if not isinstance(data, Mapping):
            raise _wrong(data, "an object", where)
        value_hint = get_args(hint)[1]
        return {key: _read(value_hint, item, f"{where}.{key}") for key, item in data.items()}
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _read_dataclass(hint, data, where)
    return _read_plain(hint, data, where)


def _read_plain(hint: Any, data: object, where: str) -> Any:
    if hint is float and isinstance(data, (int, float)) and not isinstance(data, bool):
        return float(data)
    if hint is int and isinstance(data, int) and not isinstance(data, bool):
        return data
    if hint in (str, bool) and isinstance(data, hint):
        return data
    if hint is type(None) and data is None:
        return None
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        try:
            return hint(data)
        except ValueError:
            raise _wrong(data, f"a value of {hint.__name__}", where) from None
    raise _wrong(data, getattr(hint, "__name__", str(hint)), where)


def _read_union(options: tuple[Any, ...], data: object, where: str) -> Any:
    if data is None and type(None) in options:
        return None
    # An int must stay an int where int | float is allowed, so exact types come first.
    ordered = sorted(options, key=lambda option: option is not type(data))
    others = [option for option in ordered if option is not type(None)]
    for option in others[:-1]:
        try:
            return _read(option, data, where)
        except RunFilesError:
            continue
    return _read(others[-1], data, where)


def _read_tuple(items: tuple[Any, ...], data: object, where: str) -> tuple[Any, ...]:
    if not isinstance(data, (list, tuple)):
        raise _wrong(data, "a list", where)
    if len(items) == 2 and items[1] is Ellipsis:
        return tuple(_read(items[0], item, f"{where}[{i}]") for i, item in enumerate(data))
    if len(data) != len(items):
        raise _wrong(data, f"a list of {len(items)} items", where)
    pairs = zip(items, data, strict=True)
    return tuple(_read(hint, item, f"{where}[{i}]") for i, (hint, item) in enumerate(pairs))


def _read_dataclass(cls: type, data: object, where: str) -> Any:
    if not isinstance(data, Mapping):
        raise _wrong(data, f"an object ({cls.__name__})", where)
    fields = {f.name: f for f in dataclasses.fields(cls) if f.init}
    unknown = [str(key) for key in data if key not in fields]
    missing = [
        name
        for name, f in fields.items()
        if name not in data
        and f.default is dataclasses.MISSING
        and f.default_factory is dataclasses.MISSING
    ]
    if unknown or missing:
        parts = [f"unknown key {name!r}" for name in unknown]
        parts += [f"missing key {name!r}" for name in missing]
        raise RunFilesError(what=f"{cls.__name__}: " + ", ".join(parts), where=where, fix=_FIX)
    hints = _hints(cls)
    values = {key: _read(hints[key], item, f"{where}.{key}") for key, item in data.items()}
    return cls(**values)


_FIX = "the file is damaged or was written by another version of Palier; run again"


def _wrong(data: object, expected: str, where: str) -> RunFilesError:
    shown = repr(data)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    return RunFilesError(what=f"{shown} is not {expected}", where=where, fix=_FIX)
