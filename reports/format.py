"""How numbers look: units, sensible digits, intervals; never a zero for "not measured".

Every number of a report goes through this module, so the page, the Markdown, the JUnit file and
the terminal say the same thing in the same way.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from palier.analysis.findings import Estimate

NOT_MEASURED = "not measured"

Formatter = Callable[[float], str]


def known(value: float | None) -> float | None:
    """``value`` when it is a finite number, else None (NaN and infinity are no measurement)."""
    if value is None or not math.isfinite(value):
        return None
    return value


def duration(seconds: float | None) -> str:
    """A latency: ``0.8 ms``, ``41 ms``, ``1.28 s``, ``12.3 s``; two or three digits."""
    value = known(seconds)
    if value is None:
        return NOT_MEASURED
    if value < 0:
        return "-" + duration(-value)
    ms = value * 1000
    if ms == 0:
        return "0 ms"
    if ms < 0.095:
        return f"{ms:.2g} ms" if ms >= 0.001 else "< 0.001 ms"
    if ms < 9.95:
        return f"{ms:.1f} ms"
    if ms < 999.5:
        return f"{ms:.0f} ms"
    if value < 9.995:
        return f"{value:.2f} s"
    if value < 99.95:
        return f"{value:.1f} s"
    return f"{value:,.0f} s"


def span(seconds: float | None) -> str:
    """A length of time people plan with: ``60 s``, ``5 min``, ``1 h 30 min``."""
    value = known(seconds)
    if value is None:
        return NOT_MEASURED
    if value < 120:
        return f"{plain(round(value, 1))} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min" + (f" {rest} s" if rest else "")
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h" + (f" {minutes} min" if minutes else "")


def clock(seconds: float) -> str:
    """A remaining time: ``0:45``, ``12:05``, ``1:02:03``."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, second = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{second:02}" if hours else f"{minutes}:{second:02}"


def plain(value: float | None) -> str:
    """A number as a source would state it: ``100``, ``1,000,000``, ``0.5``."""
    number = known(value)
    if number is None:
        return NOT_MEASURED
    if number == int(number):
        return f"{int(number):,}"
    return f"{number:,.6f}".rstrip("0").rstrip(".") if abs(number) >= 1e-4 else f"{number:.3g}"


def significant(value: float | None) -> str:
    """A measured number with about three digits: ``0.123``, ``3.4``, ``34.2``, ``1,234``."""
    number = known(value)
    if number is None:
        return NOT_MEASURED
    if number == int(number) or abs(number) >= 99.95:
        return f"{number:,.0f}"
    if abs(number) >= 9.995:
        return f"{number:.1f}"
    if abs(number) >= 0.995:
        return f"{number:.2f}"
    return f"{number:.3g}"


def count(value: int | None) -> str:
    """A number of things: ``1,000``."""
    return NOT_MEASURED if value is None else f"{value:,}"


def samples(value: int) -> str:
    """A sample size: ``n=1,000``."""
    return f"n={value:,}"


def rate(per_s: float | None, what: str = "requests") -> str:
    """A rate: ``34.2 requests/s``."""
    number = known(per_s)
    return NOT_MEASURED if number is None else f"{significant(number)} {what}/s"


def percent(value: float | None) -> str:
    """A percentage given in percent: ``0.12 %``, ``3.4 %``, ``99.93 %``.

    A share below 100 never prints as 100, and one above 0 never as 0.
    """
    number = known(value)
    if number is None:
        return NOT_MEASURED
    if number == int(number):
        return f"{int(number):,} %"
    if abs(number) < 1:
        return f"{number:.2g} %" if abs(number) >= 1e-4 else "< 0.0001 %"
    if 99 <= number < 100:
        for digits in range(1, 5):
            text = f"{number:.{digits}f}"
            if float(text) < 100 and (digits >= 2 or float(text) == number):
                return f"{text} %"
        return "> 99.9999 %"
    if abs(number) < 9.95:
        return f"{number:.1f} %"
    return f"{number:,.0f} %"


def ratio(fraction: float | None) -> str:
    """A fraction in [0, 1] as a percentage."""
    number = known(fraction)
    return NOT_MEASURED if number is None else percent(number * 100)


def percentile_name(fraction: float) -> str:
    """``p50``, ``p99``, ``p99.9``."""
    return "p" + f"{fraction * 100:.4f}".rstrip("0").rstrip(".")


def quantity(value: float | None, unit: str) -> str:
    """A measured number in the unit of its target, rounded to what it can carry."""
    number = known(value)
    if number is None:
        return NOT_MEASURED
    match unit:
        case "ms":
            return duration(number / 1000)
        case "s":
            return duration(number)
        case "%":
            return percent(number)
        case "":
            return significant(number)
        case _:
            return f"{significant(number)} {unit}"


def stated(value: float | None, unit: str) -> str:
    """A limit as its source states it: not rounded."""
    number = known(value)
    if number is None:
        return "no number stated"
    if unit == "ms" and number >= 1000:
        return f"{plain(number / 1000)} s"
    return f"{plain(number)} {unit}".rstrip()


def limit(comparator: str, low: float | None, high: float | None, unit: str) -> str:
    """A requirement: ``< 100 ms``, ``≥ 99.9 %``, ``30–50 ms``, ``≈ 5 s``."""
    if known(low) is None:
        return "no number stated"
    if comparator == "range":
        return interval(low, high, lambda value: stated(value, unit))
    sign = {"<=": "≤", ">=": "≥", "approx": "≈"}.get(comparator, comparator)
    return f"{sign} {stated(low, unit)}"


def interval(low: float | None, high: float | None, formatter: Formatter) -> str:
    """Both ends of an interval: ``38–44 ms``; ``≥ 38 ms`` when the upper end is open."""
    lower, upper = known(low), known(high)
    if lower is None and upper is None:
        return "no interval"
    if lower is None:
        assert upper is not None
        return f"≤ {formatter(upper)}"
    if upper is None:
        return f"≥ {formatter(lower)}"
    first, second = formatter(lower), formatter(upper)
    if first == second:
        return first
    number, _, unit = first.partition(" ")
    if second.partition(" ")[2] == unit and not first.startswith(("<", ">", "-")):
        return f"{number}–{second}"
    return f"{first} to {second}"


def estimate(value: Estimate, formatter: Formatter = duration) -> str:
    """The point estimate alone: ``41 ms``, ``≥ 10.0 s`` when censored, or "not measured"."""
    number = known(value.value)
    if number is None or value.refused is not None:
        return NOT_MEASURED
    return ("≥ " if value.censored else "") + formatter(number)


def estimate_interval(value: Estimate, formatter: Formatter = duration) -> str:
    """The 95 % interval of an estimate, or why there is no number."""
    if value.refused is not None:
        return value.refused
    if known(value.value) is None:
        return "no samples"
    return interval(value.low, value.high, formatter)
