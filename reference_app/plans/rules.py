"""How full a plan is, and what a person is told about it (B-31 ... B-35). Pure."""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal["schools", "students", "staff", "storage"]
State = Literal["ok", "warning", "blocked"]

DEFAULT_THRESHOLD = 80
"""B-31: percent from which a guard warns."""

BYTES_PER_GB = 1_000_000_000
"""Limits of storage are whole GB, use is counted in bytes (decision 0024)."""

_NOUNS: dict[Kind, tuple[str, str]] = {
    "schools": ("school", "schools"),
    "students": ("student", "students"),
    "staff": ("staff member", "staff members"),
    "storage": ("GB of storage", "GB of storage"),
}


class Usage(msgspec.Struct, frozen=True):
    """One limit as the database gives it; storage in bytes."""

    kind: Kind
    used: int
    max: int
    allowed: bool


class Message(msgspec.Struct, frozen=True):
    """What a guard shows (B-32, B-33).

    Attributes:
        title: "limit soon" or "limit reached".
        text: What remains, or what the limit is, with the resource's name.
        usage: ``"850/1000"``.
        percent: For the bar.
        action: What the button does.
    """

    title: str
    text: str
    usage: str
    percent: int
    action: Literal["raise_limit", "upgrade_plan"]


class Restriction(msgspec.Struct, frozen=True):
    """One line of the limits card (B-34); storage in GB.

    Attributes:
        percent: Rounded down, so 100 always means full.
        remaining: Never negative, also after a downgrade below use (B-28).
        allowed: Whether one more may be created.
    """

    kind: Kind
    used: float
    limit: float
    unit: str
    percent: int
    remaining: float
    state: State
    allowed: bool
    message: Message | None


def restriction(usage: Usage, threshold: int = DEFAULT_THRESHOLD) -> Restriction:
    """Judge one limit.

    Args:
        usage: Use and limit.
        threshold: Percent from which a warning is shown, 1 to 100; compared exactly, not rounded.
    """
    percent = 100 if usage.max == 0 else usage.used * 100 // usage.max
    state: State = "ok"
    if usage.used >= usage.max or not usage.allowed:
        state = "blocked"
    elif usage.used * 100 >= threshold * usage.max:
        state = "warning"
    remaining = max(usage.max - usage.used, 0)
    return Restriction(
        usage.kind,
        shown(usage.kind, usage.used),
        shown(usage.kind, usage.max),
        "GB" if usage.kind == "storage" else usage.kind,
        percent,
        shown(usage.kind, remaining),
        state,
        usage.allowed,
        _message(usage, state, percent, remaining),
    )


def amount(kind: Kind, count: int) -> str:
    """``"10 schools"``; bytes of storage as GB."""
    number = shown(kind, count)
    return f"{number:g} {_NOUNS[kind][0 if number == 1 else 1]}"


def shown(kind: Kind, count: int) -> float:
    """A count as people read it: storage in GB to three decimals, everything else as it is."""
    if kind != "storage":
        return count
    whole, rest = divmod(count, BYTES_PER_GB)
    return whole if rest == 0 else round(count / BYTES_PER_GB, 3)


def _message(usage: Usage, state: State, percent: int, remaining: int) -> Message | None:
    if state == "ok":
        return None
    used, limit = shown(usage.kind, usage.used), shown(usage.kind, usage.max)
    line = f"{used:.15g}/{limit:.15g}"
    if state == "warning":
        verb = "remains" if shown(usage.kind, remaining) == 1 else "remain"
        text = f"{amount(usage.kind, remaining)} {verb}"
        return Message("Attention, limit soon", text, line, percent, "raise_limit")
    if usage.used < usage.max:
        text = "the subscription is suspended"
        return Message("Subscription suspended", text, line, percent, "upgrade_plan")
    text = f"limit: {amount(usage.kind, usage.max)}"
    return Message("Limit reached", text, line, percent, "upgrade_plan")
