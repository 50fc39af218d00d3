"""YAML text to a tree in which every key and value knows its line and column.

Built from the event stream, so no input can recurse without end: aliases to an open anchor,
aliases that multiply, and deep nesting are problems with a place, like everything else.
Scalars stay text here; what they mean is decided by the type that is expected (YAML 1.2 rules,
so ``off`` and ``002`` mean what they look like).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

import yaml
from yaml.reader import Reader as _YamlReader

from palier.model.problem import Place, Problem

MAX_DEPTH = 30
"""Our deepest path has 8 levels."""

MAX_NODES = 200_000
"""Values after aliases are expanded; the shipped file has about 4 000."""

_UNPRINTABLE: re.Pattern[str] = _YamlReader.NON_PRINTABLE
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Scalar:
    text: str
    plain: bool
    """False when the text was in quotes or a block, which makes it text for certain."""
    place: Place

    @property
    def is_null(self) -> bool:
        return self.plain and self.text in ("", "~", "null", "Null", "NULL")


@dataclass(frozen=True, slots=True)
class Sequence:
    items: tuple[Node, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Entry:
    key: str
    place: Place
    value: Node


@dataclass(frozen=True, slots=True)
class Mapping:
    entries: tuple[Entry, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Broken:
    """Stands where a problem has been reported already."""

    place: Place


Node: TypeAlias = Scalar | Sequence | Mapping | Broken


def read_tree(text: str) -> tuple[Node | None, tuple[Problem, ...]]:
    """The root of the document, or ``None`` when there is none, and every problem found."""
    bad = _UNPRINTABLE.search(text)
    if bad is not None:
        code = f"U+{ord(bad.group()):04X}"
        return None, (
            Problem(
                place=_place_at(text, bad.start()),
                what=f"a character that text does not have ({code})",
                fix="delete it, or save the file as UTF-8 text",
            ),
        )
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            if not builder.take(event):
                break
    except yaml.YAMLError as error:
        builder.problems.append(_syntax_problem(error, text))
        return None, tuple(builder.problems)
    return builder.root, tuple(builder.problems)


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come yet."""

    place: Place
    anchor: str | None
    is_mapping: bool
    items: list[Node] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)
    key: tuple[str | None, Place] | None = None
    size: int = 1


@dataclass(slots=True)
class _Builder:
    """Takes events one by one; says False when going on makes no sense."""

    problems: list[Problem] = field(default_factory=list)
    root: Node | None = None
    _open: list[_Open] = field(default_factory=list)
    _anchors: dict[str, tuple[Node, int]] = field(default_factory=dict)
    _documents: int = 0

    def take(self, event: yaml.Event) -> bool:
        mark = event.start_mark
        place = Place(1, 1) if mark is None else Place(mark.line + 1, mark.column + 1)
        if isinstance(event, yaml.DocumentStartEvent):
            return self._start_document(place)
        if isinstance(event, yaml.NodeEvent) and not isinstance(event, yaml.AliasEvent):
            self._refuse_tag(event, place)
        if isinstance(event, yaml.ScalarEvent):
            plain = bool(event.implicit[0])
            return self._add(Scalar(event.value, plain, place), 1, event.anchor)
        if isinstance(event, yaml.AliasEvent):
            return self._add_alias(event.anchor or "", place)
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            is_mapping = isinstance(event, yaml.MappingStartEvent)
            self._open.append(_Open(place, event.anchor, is_mapping))
            if len(self._open) > MAX_DEPTH:
                return self._stop(place, f"nested more than {MAX_DEPTH} levels deep", "flatten it")
        if isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            return self._close()
        return True

    def _start_document(self, place: Place) -> bool:
        self._documents += 1
        if self._documents > 1:
            return self._stop(place, "a second document starts here", "keep one: remove the ---")
        return True

    def _refuse_tag(self, event: yaml.NodeEvent, place: Place) -> None:
        tag = getattr(event, "tag", None)
        if tag is not None:
            self._tell(place, f"tags are not supported ({tag})", "remove the tag")

    def _add_alias(self, anchor: str, place: Place) -> bool:
        if any(one.anchor == anchor for one in self._open):
            what = f"alias *{anchor} contains itself: it stands inside its own anchor &{anchor}"
            self._tell(place, what, "write the values out instead of the alias")
            return self._add(Broken(place), 1, None)
        if anchor not in self._anchors:
            known = ", ".join(f"&{name}" for name in self._anchors) or "none before this line"
            self._tell(place, f"no anchor &{anchor} for alias *{anchor}", f"anchors: {known}")
            return self._add(Broken(place), 1, None)
        node, size = self._anchors[anchor]
        return self._add(node, size, None)

    def _close(self) -> bool:
        done = self._open.pop()
        node: Node
        if done.is_mapping:
            node = Mapping(tuple(done.entries), done.place)
        else:
            node = Sequence(tuple(done.items), done.place)
        return self._add(node, done.size, done.anchor)

    def _add(self, node: Node, size: int, anchor: str | None) -> bool:
        if anchor is not None:
            self._anchors[anchor] = (node, size)
        if not self._open:
            self.root = node
            return True
        parent = self._open[-1]
        parent.size += size
        if parent.size > MAX_NODES:
            what = f"aliases expand to more than {MAX_NODES:,} values"
            return self._stop(node.place, what, "write the values out")
        if not parent.is_mapping:
            parent.items.append(node)
        elif parent.key is None:
            parent.key = (self._key(node), node.place)
        else:
            self._add_entry(parent, node)
        return True

    def _key(self, node: Node) -> str | None:
        if isinstance(node, Scalar):
            if node.plain and node.text == "<<":
                what = "merge keys (<<) are not supported"
                self._tell(node.place, what, "write the keys out; an alias may stand for a value")
                return None
            return node.text
        if not isinstance(node, Broken):
            self._tell(node.place, "a key must be a word", "write key: value")
        return None

    def _add_entry(self, parent: _Open, value: Node) -> None:
        assert parent.key is not None  # the caller has just seen it
        key, place = parent.key
        parent.key = None
        if key is None:
            return
        if key in parent.lines:
            what = f"{key!r} is here twice (first on line {parent.lines[key]})"
            self._tell(place, what, "remove or rename one of them")
            return
        parent.lines[key] = place.line
        parent.entries.append(Entry(key, place, value))

    def _tell(self, place: Place, what: str, fix: str) -> None:
        self.problems.append(Problem(place=place, what=what, fix=fix))

    def _stop(self, place: Place, what: str, fix: str) -> bool:
        self._tell(place, what, fix)
        return False


def _syntax_problem(error: yaml.YAMLError, text: str) -> Problem:
    mark = getattr(error, "problem_mark", None)
    place = Place(1, 1) if mark is None else Place(mark.line + 1, mark.column + 1)
    tab = next(_tabs_before(text, place.line), None)
    if tab is not None:
        what = "a tab in the indentation; YAML allows spaces only"
        return Problem(place=tab, what=what, fix="replace the tab with spaces")
    problem = getattr(error, "problem", None) or "it cannot be read"
    what = f"not valid YAML: {problem}"
    context, opened = getattr(error, "context", None), getattr(error, "context_mark", None)
    if context and opened is not None and opened.line + 1 != place.line:
        what += f" ({context} that starts on line {opened.line + 1})"
    return Problem(place=place, what=what, fix=_syntax_fix(str(problem)))


def _syntax_fix(problem: str) -> str:
    if "mapping values are not allowed" in problem:
        return "check the indentation; text that contains ': ' needs quotes"
    if "unexpected end of stream" in problem:
        return "close the quote"
    if "',' or '" in problem:
        return "close the bracket, or put a comma between the entries"
    return "check indentation, colons, quotes and brackets here and on the line above"


def _tabs_before(text: str, line: int) -> Iterator[Place]:
    """Tabs in the indentation of the line, or of the one before it."""
    lines = text.splitlines()
    for number in (line, line - 1):
        if 1 <= number <= len(lines):
            content = lines[number - 1]
            indentation = content[: len(content) - len(content.lstrip())]
            if "\t" in indentation:
                yield Place(number, indentation.index("\t") + 1)


def _place_at(text: str, index: int) -> Place:
    before = text[:index]
    return Place(before.count("\n") + 1, index - (before.rfind("\n") + 1) + 1)
