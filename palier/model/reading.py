"""A tree of YAML nodes to values of the shape that is expected, with every problem on the way."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeAlias

from palier.model import yamltree
from palier.model.didyoumean import suggestion
from palier.model.problem import Place, Problem
from palier.model.shape import ById, ListOf, Number, Record, Shape, Table, Text, Truth, Words
from palier.model.words import Refers

Path: TypeAlias = tuple[str | int, ...]


class Breach(NamedTuple):
    """A rule between fields that a value breaks."""

    field: str
    what: str
    fix: str


class Reference(NamedTuple):
    """An id that must exist elsewhere in the file."""

    path: Path
    id: str
    refers: Refers


Rule: TypeAlias = Callable[[Any], Iterable[Breach]]


class _Failed:
    """Stands for a value that could not be read; its problem has been told."""


FAILED: Final = _Failed()

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)
"""Ids become file names and command-line arguments."""

_WHOLE = re.compile(r"[-+]?[0-9]{1,18}", re.ASCII)
_DECIMAL = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,4})?", re.ASCII)


@dataclass(slots=True)
class Reader:
    """Reads nodes into values.

    Attributes:
        rules: Rules between the fields of a class, by class.
        problems: What was wrong so far.
        places: Where each value stands, by its path; for problems that are found later.
        references: Ids that must exist elsewhere in the file.
    """

    rules: Mapping[type, Rule] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    places: dict[Path, Place] = field(default_factory=dict)
    references: list[Reference] = field(default_factory=list)

    def read(self, shape: Shape, node: yamltree.Node, path: Path = ()) -> Any:
        """The value of ``node``, or ``FAILED`` after telling why."""
        self.places.setdefault(path, node.place)
        if isinstance(node, yamltree.Broken):
            return FAILED
        match shape:
            case Record():
                return self._record(shape, node, path)
            case ById():
                return self._by_id(shape.record, node, path)
            case Table():
                return self._table(shape, node, path)
            case ListOf():
                return self._list(shape.item, node, path)
            case _:
                return self._scalar(shape, node, path)

    def tell(self, place: Place, what: str, fix: str) -> None:
        self.problems.append(Problem(place=place, what=what, fix=fix))

    def _scalar(self, shape: Number | Text | Truth | Words, node: yamltree.Node, path: Path) -> Any:
        if not isinstance(node, yamltree.Scalar):
            what = f"{_name(path)} is {_kind(node)}"
            return self._fail(node, what, f"write {_wanted(shape)}")
        match shape:
            case Number():
                return self._number(shape, node, path)
            case Words():
                if node.text in shape.words:
                    return node.text
                what = f"{node.text!r} is not a value of {_name(path)}"
                return self._fail(node, what, suggestion(node.text, shape.words))
            case Truth():
                if node.plain and node.text in ("true", "false"):
                    return node.text == "true"
                what = f"{node.text!r} is not a value of {_name(path)}"
                return self._fail(node, what, "write true or false")
            case Text():
                return self._text(shape, node, path)

    def _text(self, shape: Text, node: yamltree.Scalar, path: Path) -> Any:
        if node.is_null:
            return self._fail(node, f"{_name(path)} is empty", "write text, or remove the key")
        looks_otherwise = node.text in ("true", "false") or _DECIMAL.fullmatch(node.text)
        if node.plain and looks_otherwise:
            what = f"{_name(path)} is text, and {node.text} is not"
            return self._fail(node, what, f'write "{node.text}" in quotes')
        if shape.refers is not None:
            self.references.append(Reference(path, node.text, shape.refers))
        return node.text

    def _number(self, shape: Number, node: yamltree.Scalar, path: Path) -> Any:
        wanted = _wanted(shape)
        if not node.plain:
            fix = "remove the quotes" if _DECIMAL.fullmatch(node.text) else f"write {wanted}"
            return self._fail(node, f"{_name(path)} is text ({_short(node.text)})", fix)
        if not _DECIMAL.fullmatch(node.text):
            what = f"{_short(node.text)} is not a number ({_name(path)})"
            return self._fail(node, what, f"write {wanted}, without unit or separators")
        number: int | float
        if shape.whole:
            if not _WHOLE.fullmatch(node.text):
                what = f"{_short(node.text)} is not a whole number ({_name(path)})"
                return self._fail(node, what, f"write {wanted}")
            number = int(node.text)
        else:
            number = float(node.text)
            if not math.isfinite(number):
                what = f"{node.text} is too large ({_name(path)})"
                return self._fail(node, what, f"write {wanted}")
        breach = shape.bounds.breach(number) if shape.bounds is not None else None
        if breach is not None:
            what, fix = breach
            return self._fail(node, f"{_name(path)}: {what}", fix)
        return number

    def _list(self, item: Shape, node: yamltree.Node, path: Path) -> Any:
        if not isinstance(node, yamltree.Sequence):
            return self._fail(node, f"{_name(path)} is {_kind(node)}", "write a list, one - a line")
        values = [self.read(item, one, (*path, i)) for i, one in enumerate(node.items)]
        return FAILED if FAILED in values else tuple(values)

    def _table(self, shape: Table, node: yamltree.Node, path: Path) -> Any:
        if not isinstance(node, yamltree.Mapping):
            return self._fail(node, f"{_name(path)} is {_kind(node)}", "write name: value pairs")
        pairs: list[Any] = []
        for entry in node.entries:
            if isinstance(shape.key, Words) and entry.key not in shape.key.words:
                what = f"unknown key {_short(entry.key)} in {_name(path)}"
                self.tell(entry.place, what, suggestion(entry.key, shape.key.words))
                pairs.append(FAILED)
                continue
            self.places[(*path, entry.key)] = entry.place
            if isinstance(shape.key, Text) and shape.key.refers is not None:
                reference = Reference((*path, entry.key), entry.key, shape.key.refers)
                self.references.append(reference)
            value = self.read(shape.value, entry.value, (*path, entry.key))
            pairs.append(FAILED if value is FAILED else (entry.key, value))
        return FAILED if FAILED in pairs else tuple(pairs)

    def _by_id(self, record: Record, node: yamltree.Node, path: Path) -> Any:
        if not isinstance(node, yamltree.Mapping):
            what = f"{_name(path)} is {_kind(node)}"
            return self._fail(node, what, "write them as a mapping, each under its id")
        values = []
        for entry in node.entries:
            self.places[(*path, entry.key)] = entry.place
            if not ID.fullmatch(entry.key):
                what = f"{_short(entry.key)} is not an id"
                self.tell(entry.place, what, "use letters, digits, '.', '_' and '-'")
            values.append(self._record(record, entry.value, (*path, entry.key), id=entry.key))
        return FAILED if FAILED in values else tuple(values)

    def _record(self, record: Record, node: yamltree.Node, path: Path, **known: Any) -> Any:
        if isinstance(node, yamltree.Broken):
            return FAILED
        if not isinstance(node, yamltree.Mapping):
            keys = ", ".join(one.name for one in record.fields if one.name not in known)
            return self._fail(node, f"{_name(path)} is {_kind(node)}", f"write its keys: {keys}")
        values: dict[str, Any] = dict(known)
        sound = self._read_fields(record, node, path, values)
        for one in record.fields:
            if one.name in values:
                continue
            values[one.name] = one.default
            if one.required:
                sound = False
                place = self.places.get(path, node.place)
                what = f"{_name(path)} has no key {one.name!r}"
                self.tell(place, what, f"add {one.name}{_hint(one.help)}")
        if not sound:
            return FAILED
        value = record.make(**values)
        return FAILED if self._breaks_rules(value, path) else value

    def _read_fields(
        self, record: Record, node: yamltree.Mapping, path: Path, values: dict[str, Any]
    ) -> bool:
        given = set(values)
        sound = True
        for entry in node.entries:
            one = record.field(entry.key)
            if one is None or entry.key in given:
                sound = False
                allowed = [f.name for f in record.fields if f.name not in given]
                what = f"unknown key {_short(entry.key)} in {_name(path)}"
                self.tell(entry.place, what, suggestion(entry.key, allowed))
                values.setdefault(entry.key, FAILED)
                continue
            self.places[(*path, entry.key)] = entry.value.place
            is_null = isinstance(entry.value, yamltree.Scalar) and entry.value.is_null
            if one.nullable and is_null:
                values[one.name] = None
                continue
            values[one.name] = self.read(one.shape, entry.value, (*path, entry.key))
            sound = sound and values[one.name] is not FAILED
        return sound

    def _breaks_rules(self, value: Any, path: Path) -> bool:
        rule = self.rules.get(type(value))
        breaches = tuple(rule(value)) if rule is not None else ()
        for breach in breaches:
            place = self.places.get((*path, breach.field), self.places[path])
            self.tell(place, f"{_name(path)}: {breach.what}", breach.fix)
        return bool(breaches)

    def _fail(self, node: yamltree.Node, what: str, fix: str) -> _Failed:
        self.tell(node.place, what, fix)
        return FAILED


def _name(path: Path) -> str:
    """The last two steps of a path: enough to recognise, short enough to read."""
    steps = [f"[{step}]" if isinstance(step, int) else step for step in path[-2:]]
    return ".".join(steps).replace(".[", "[") or "the file"


def _kind(node: yamltree.Node) -> str:
    match node:
        case yamltree.Mapping():
            return "a mapping"
        case yamltree.Sequence():
            return "a list"
        case yamltree.Scalar() if node.is_null:
            return "empty"
        case yamltree.Scalar():
            return f"{_short(node.text)}, a single value"
        case _:
            return "broken"


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")


def _hint(help_text: str) -> str:
    """The first clause of a field's description, in brackets."""
    clause = re.split(r"[;,.](?:\s|$)", help_text)[0]
    return f" ({clause[0].lower()}{clause[1:]})" if clause else ""


def _wanted(shape: Number | Text | Truth | Words) -> str:
    match shape:
        case Number():
            limits = f" {shape.bounds}" if shape.bounds is not None else ""
            return f"a {'whole ' if shape.whole else ''}number{limits}"
        case Words():
            return "one of: " + ", ".join(shape.words)
        case Truth():
            return "true or false"
        case Text():
            return "text"
