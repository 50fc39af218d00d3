"""Ids across the file: every reference leads somewhere, no id stands for two things.

Works on the places of what was read, so it also runs when other parts of the file are wrong.
"""

from __future__ import annotations

from collections.abc import Iterator

from palier.model.didyoumean import suggestion
from palier.model.problem import Problem
from palier.model.reading import Path, Reader, Reference


def reference_problems(reader: Reader) -> Iterator[Problem]:
    """Every reference that leads nowhere and every id used twice, at its place."""
    ids = _Ids(reader)
    for reference in reader.references:
        yield from _unresolved(reference, ids, reader)
    yield from _tiers_twice(ids, reader)
    yield from _targets_twice(ids, reader)


class _Ids:
    """The ids below each path, in the order of the file."""

    def __init__(self, reader: Reader) -> None:
        self._below: dict[Path, list[str]] = {}
        for path in reader.places:
            if path and isinstance(path[-1], str):
                self._below.setdefault(path[:-1], []).append(path[-1])

    def below(self, *path: str | int) -> list[str]:
        return self._below.get(path, [])

    def systems(self) -> list[str]:
        return self.below("systems")

    def tiers(self, system: str) -> list[str]:
        return self.below("systems", system, "tiers")


def _unresolved(reference: Reference, ids: _Ids, reader: Reader) -> Iterator[Problem]:
    system = reference.path[:2]
    match reference.refers.to:
        case "plan":
            known = ids.below(*system, "plans")
        case "shared target":
            known = ids.below(*system, "targets")
        case "target":
            # The first four steps of a path inside a tier: systems, its id, tiers, its id.
            tier = reference.path[:4]
            known = ids.below(*system, "targets") + ids.below(*tier, "targets")
    if reference.id not in known:
        kind = reference.refers.to
        what = f"no {kind} {reference.id!r} in system {system[-1]}"
        fix = suggestion(reference.id, known) if known else f"there is none yet: add the {kind}"
        yield Problem(place=reader.places[reference.path], what=what, fix=fix)


def _tiers_twice(ids: _Ids, reader: Reader) -> Iterator[Problem]:
    first: dict[str, Path] = {}
    for system in ids.systems():
        for tier in ids.tiers(system):
            here: Path = ("systems", system, "tiers", tier)
            if tier in first:
                line = reader.places[first[tier]].line
                what = f"tier {tier!r} is here twice (first on line {line})"
                yield Problem(place=reader.places[here], what=what, fix="rename one of them")
            first.setdefault(tier, here)


def _targets_twice(ids: _Ids, reader: Reader) -> Iterator[Problem]:
    for system in ids.systems():
        shared = set(ids.below("systems", system, "targets"))
        for tier in ids.tiers(system):
            for target in ids.below("systems", system, "tiers", tier, "targets"):
                if target in shared:
                    line = reader.places[("systems", system, "targets", target)].line
                    yield Problem(
                        place=reader.places[("systems", system, "tiers", tier, "targets", target)],
                        what=f"target {target!r} is one of the system already (line {line})",
                        fix=f"rename it, or change its role here with roles: {{{target}: goal}}",
                    )
