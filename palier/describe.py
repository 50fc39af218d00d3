"""The ladder in words: text of ``palier tiers``; that of ``palier show`` is in ``describe_plan``.

Pure: catalogue in, text out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields

from palier.describe_plan import describe_plan
from palier.model.catalogue import Catalogue
from palier.model.jsonvalue import Jsonable, to_jsonable
from palier.model.tier import Cost, System, Tier
from palier.model.variant import Variant

__all__ = ["describe_plan", "describe_tiers", "tiers_as_json"]

TIERS_SCHEMA = 1

_SIGNS = {"EUR": "€", "USD": "$"}


def describe_tiers(catalogue: Catalogue) -> str:
    """One line a tier, aligned: id, users, plan, monthly cost, offered rate, what changes.

    The last column has the switches that differ from the tier above it in the same ladder; the
    first tier of a ladder has those that differ from the defaults.
    """
    header = ("tier", "users", "plan", "cost a month", "requests/s", "variant")
    blocks = [
        (f"{system.id}: {system.title}", [_row(*pair) for pair in _with_the_one_below(system)])
        for system in catalogue.systems
    ]
    widths = _widths([header, *(row for _, rows in blocks for row in rows)])
    lines = [_line(header, widths)]
    for title, rows in blocks:
        lines += ["", title, *(_line(row, widths) for row in rows)]
    profiles = ", ".join(profile.id for profile in catalogue.profiles)
    lines += ["", f"profiles: {profiles}"]
    return "\n".join(lines) + "\n"


def tiers_as_json(catalogue: Catalogue) -> dict[str, Jsonable]:
    """The ladder as one JSON document, for ``palier tiers --json``."""
    return {
        "schema": TIERS_SCHEMA,
        "path": catalogue.path,
        "systems": [
            {
                "id": system.id,
                "title": system.title,
                "scenario": system.scenario,
                "tiers": [_tier_as_json(tier) for tier in system.tiers],
            }
            for system in catalogue.systems
        ],
        "profiles": to_jsonable(catalogue.profiles),
    }


def _tier_as_json(tier: Tier) -> dict[str, Jsonable]:
    return {
        "id": tier.id,
        "title": tier.title,
        "users_min": tier.users_min,
        "users_max": tier.users_max,
        "plan": tier.plan,
        "cost": to_jsonable(tier.cost),
        "requests_per_s": tier.load.offered_per_s,
        "variant": to_jsonable(tier.variant),
        "url": tier.url,
        "targets": len(tier.targets),
        "gates": [target.id for target in tier.targets if target.role == "gate"],
    }


def switches(variant: Variant, base: Variant | None = None) -> str:
    """Switches that differ from ``base`` (the defaults when None), as typed after ``--set``."""
    start = Variant() if base is None else base
    changed = {
        one.name: getattr(variant, one.name)
        for one in fields(Variant)
        if getattr(variant, one.name) != getattr(start, one.name)
    }
    return " ".join(f"{name}={_switch(value)}" for name, value in changed.items())


def _switch(value: str | bool) -> str:
    return value if isinstance(value, str) else str(value).lower()


def _with_the_one_below(system: System) -> Iterator[tuple[Tier, Tier | None]]:
    below: Tier | None = None
    for tier in system.tiers:
        same_ladder = below is not None and _ladder(below) == _ladder(tier)
        yield tier, below if same_ladder else None
        below = tier


def _ladder(tier: Tier) -> str:
    """``lou`` of ``lou-10``: the id without its number."""
    return re.sub(r"\d+$", "", tier.id)


def _row(tier: Tier, below: Tier | None) -> Sequence[str]:
    changes = switches(tier.variant, below.variant if below is not None else None)
    return (
        tier.id,
        _users(tier),
        tier.plan or "-",
        _cost(tier.cost),
        _rate(tier.load.offered_per_s),
        changes or ("(your service)" if tier.url is not None else "="),
    )


def _rate(per_s: float) -> str:
    return f"{per_s:.3g}" if per_s < 1000 else f"{per_s:,.0f}"


def _users(tier: Tier) -> str:
    if tier.users_max is None:
        return f"({tier.load.users:,})" if tier.users_min is None else f"{tier.users_min:,}+"
    return f"{tier.users_min:,}-{tier.users_max:,}" if tier.users_min else f"{tier.users_max:,}"


def _cost(cost: Cost | None) -> str:
    if cost is None or cost.low_per_month is None or cost.high_per_month is None:
        return "-"
    sign = _SIGNS.get(cost.currency or "", "")
    low, high = f"{cost.low_per_month:,.0f}", f"{cost.high_per_month:,.0f}"
    return f"{low} {sign}" if low == high else f"{low}-{high} {sign}"


def _widths(rows: Iterable[Sequence[str]]) -> Sequence[int]:
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


_RIGHT: Mapping[int, bool] = {1: True, 3: True, 4: True}
"""Columns of numbers."""


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell.rjust(width) if _RIGHT.get(i) else cell.ljust(width)
        for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(padded).rstrip()
