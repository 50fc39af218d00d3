"""The instants of an access log, as text: whole microseconds from the first one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from palier.errors import ConfigError

MOST_ARRIVALS: Final = 1_000_000
"""All of them are written into plan.json, so that a run explains itself."""

_SECOND_US: Final = 1_000_000

_COMMON: Final = re.compile(r"\[(\d{2})/([A-Z][a-z]{2})/(\d{4}:\d{2}:\d{2}:\d{2}) ([+-]\d{4})\]")
"""``[10/Oct/2000:13:55:36 -0700]`` of the Common and the Combined Log Format."""

_MONTHS: Final = (
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
)
"""Names of the log format; those of ``strptime`` would depend on the machine's language."""

_EPOCH: Final = re.compile(r"(\d{1,11})(?:\.(\d{1,9}))?", re.ASCII)

_START: Final = datetime(1970, 1, 1, tzinfo=UTC)


def parse_trace(lines: Iterable[str], *, where: str) -> tuple[int, ...]:
    """Arrivals in microseconds from the first of them, in the order of time.

    Empty lines and those that begin with ``#`` are passed over. An instant without a time zone is
    taken as UTC. Servers write a line when a request ends, so lines may be out of order.

    Args:
        lines: The log.
        where: Its name, for messages.

    Raises:
        ConfigError: A line has no instant, or there is none at all, or there are too many.
    """
    instants_us: list[int] = []
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        at_us = _instant_us(text)
        if at_us is None:
            raise ConfigError(
                what=f"no instant in {text[:60]!r}",
                where=f"{where}:{number}",
                fix="lines are of the Common or Combined Log Format, or one instant each: "
                "2026-11-21T08:00:00.25Z, or seconds since 1970",
            )
        instants_us.append(at_us)
        if len(instants_us) > MOST_ARRIVALS:
            raise ConfigError(
                what=f"more than {MOST_ARRIVALS:,} arrivals",
                where=where,
                fix="cut the log to the hours that matter",
            )
    if not instants_us:
        raise ConfigError(what="no arrival in it", where=where, fix="give a log with lines in it")
    first_us = min(instants_us)
    return tuple(sorted(at_us - first_us for at_us in instants_us))


def _instant_us(text: str) -> int | None:
    """Microseconds since 1970; None when the line has no instant."""
    try:
        if (epoch := _EPOCH.fullmatch(text)) is not None:
            whole, fraction = epoch[1], epoch[2] or ""
            return int(whole) * _SECOND_US + int(fraction[:6].ljust(6, "0"))
        if (common := _COMMON.search(text)) is not None:
            day, month, rest, zone = common.groups()
            number = _MONTHS.index(month) + 1
            moment = datetime.strptime(f"{day}/{number}/{rest} {zone}", "%d/%m/%Y:%H:%M:%S %z")
        else:
            moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _START) // timedelta(microseconds=1)
