"""Sentences of the verdict: numbers with units, intervals, and what to do next."""

from __future__ import annotations

import math

from palier.analysis.verdict import TargetVerdict


def number(value: float) -> str:
    """Three significant digits, never with an exponent: ``41``, ``0.12``, ``1,450``."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{min(digits, 6)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def stated(value: float) -> str:
    """A limit as the source states it: ``300``, ``0.5``, ``1,000,000``."""
    return f"{value:,.10g}"


def measured_text(target: TargetVerdict, *, censored: bool) -> str:
    """``41 ms (38-44)``, ``>= 4,000 ms``."""
    if target.measured is None:
        return "not known"
    text = f"{number(target.measured)} {target.unit}"
    if censored:
        return f">= {text}"
    if target.low == target.high == target.measured:
        return text
    if target.low is None and target.high is None:
        return f"{text} (no interval)"
    if target.high is None:
        return f"{text} ({_end(target.low)} or more)"
    if target.low is None:
        return f"{text} ({_end(target.high)} or less)"
    return f"{text} ({_end(target.low)}-{_end(target.high)})"


def _end(value: float | None) -> str:
    return "?" if value is None else number(value)


def limit_text(target: TargetVerdict) -> str:
    """``limit < 300 ms``, ``limit 5 to 10 min``, ``limit about 3 s``."""
    if target.limit is None:
        return "no stated limit"
    if target.comparator == "range":
        top = "more" if target.limit_high is None else stated(target.limit_high)
        return f"limit {stated(target.limit)} to {top} {target.unit}"
    sign = "about" if target.comparator == "approx" else target.comparator
    return f"limit {sign} {stated(target.limit)} {target.unit}"


def duration(seconds: float) -> str:
    """A length of run rounded up to something to type: ``90 s``, ``8 min``, ``3 h``."""
    if seconds <= 120:
        return f"{math.ceil(seconds / 10) * 10} s"
    if seconds <= 7200:
        return f"{math.ceil(seconds / 60)} min"
    return f"{math.ceil(seconds / 3600)} h"


def share(value: float) -> str:
    """``12 %``; below one percent with a digit."""
    return f"{value * 100:.0f} %" if abs(value) >= 0.095 else f"{value * 100:.1f} %"
