"""Lengths of time as people write them: ``60s``, ``2m``, ``1h``, ``500ms``."""

from __future__ import annotations

import re

from palier.errors import ConfigError

_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|min|s|m|h)", re.ASCII)


def parse_duration(text: str) -> float:
    """Seconds of a length such as ``"60s"``, ``"1.5h"`` or ``"1h30m"``; always above 0.

    Raises:
        ConfigError: No number, no unit, an unknown unit, or nothing left to run.
    """
    stripped = text.strip()
    parts = _PART.findall(stripped)
    seconds = sum(float(number) * _UNITS_S[unit] for number, unit in parts)
    written = "".join(number + unit for number, unit in parts)
    if not parts or written != stripped or not 0 < seconds < float("inf"):
        bare = re.fullmatch(r"\d+(\.\d+)?", stripped, re.ASCII)
        fix = f"write {stripped}s for seconds" if bare else "write 60s, 2m, 1h30m or 500ms"
        raise ConfigError(what=f"{text!r} is not a length of time", where="duration", fix=fix)
    return seconds
