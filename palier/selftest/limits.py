"""What this machine is certified for: kept between runs, and valid for what it was found with.

A certificate belongs to a processor, its number of cores, a kernel, a Python and a Palier: with
any of them changed, the machine is another one.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from palier.environment import processor_name
from palier.model.jsonvalue import Jsonable, from_jsonable, to_jsonable
from palier.stack.registry import default_home, ensure_home

LIMITS_SCHEMA: Final = 1

LAG_LIMIT_S: Final = 0.005
"""The certified rate is the highest at which 99 % of requests leave within this of their planned
instant: issue 4, half of what a run is allowed (``palier.analysis.health.limits``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PercentileError:
    """How far a reported percentile was from the independent log.

    Attributes:
        fraction: 0.95 for p95.
        reported_s: What was reported.
        true_s: What the logs say; None when it lies among requests that were never answered.
        error_s: Reported minus true; None when one of them is no number.
        allowed_s: 1 % or 0.2 ms, whichever is more.
    """

    fraction: float
    reported_s: float
    true_s: float | None
    error_s: float | None
    allowed_s: float

    @property
    def holds(self) -> bool:
        return self.error_s is not None and abs(self.error_s) <= self.allowed_s


@dataclass(frozen=True, slots=True, kw_only=True)
class RateStep:
    """One rate that was tried.

    Attributes:
        rate_per_s: Requests offered a second.
        lag_p50_s: Median lag.
        lag_p99_s: 99th percentile of the lag.
        cpu_us: Processor time for one request, in microseconds.
        complete: Every planned request was sent and answered right.
    """

    rate_per_s: float
    lag_p50_s: float
    lag_p99_s: float
    cpu_us: float
    complete: bool

    @property
    def holds(self) -> bool:
        return self.complete and self.lag_p99_s <= LAG_LIMIT_S

    @property
    def was_interrupted(self) -> bool:
        """Half of the requests left in time: the loader kept up, and was held up for a moment. One
        that cannot keep up is late with nearly all of them."""
        return not self.holds and self.complete and self.lag_p50_s <= LAG_LIMIT_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """A certificate.

    Attributes:
        at: When it was made, as an ISO date with time.
        machine: What it belongs to.
        rate_per_s: Highest rate of one loader that was held with lag p99 within 5 ms; 0 when none.
        cpu_us: Processor time of the loader for one request at that rate, in microseconds.
        lag_p50_s: Median lag at the lowest rate tried: how precisely a request is timed.
        timer_p50_s: Median lateness of a sleep of this machine, without anything of ours.
        timer_p99_s: Its 99th percentile.
        percentiles: Reported beside true, against a known law with stalls.
        steps: Every rate that was tried, in order; one that was late once is tried again.
        shared_core: Generator and server shared a core: with two, the rate is higher.
        took_s: Length of the self-test.
    """

    at: str
    machine: Mapping[str, str]
    rate_per_s: float
    cpu_us: float | None
    lag_p50_s: float
    timer_p50_s: float
    timer_p99_s: float
    percentiles: tuple[PercentileError, ...]
    steps: tuple[RateStep, ...]
    shared_core: bool
    took_s: float

    @property
    def tells_the_truth(self) -> bool:
        """Every percentile is within what is allowed."""
        return all(one.holds for one in self.percentiles)


def this_machine() -> dict[str, str]:
    """What a certificate belongs to."""
    return {
        "processor": processor_name(),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "palier": importlib.metadata.version("palier"),
    }


def certified(home: Path | None = None) -> Limits | None:
    """The certificate of this machine; None when ``palier selftest`` has not made one.

    Args:
        home: Directory of everything that is kept; None for the user's.
    """
    path = _path(home)
    if not path.exists():
        return None
    document = json.loads(path.read_text(encoding="utf-8"))
    if document.get("schema") != LIMITS_SCHEMA:
        return None  # of another version; the next self-test replaces it
    return limits_from_json(document)


def keep(limits: Limits, home: Path | None = None) -> Path:
    """Keep a certificate, in place of the one before; returns its file."""
    path = _path(home)
    ensure_home(default_home() if home is None else home)
    path.parent.mkdir(exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(limits_as_json(limits), indent=1) + "\n", encoding="utf-8")
    part.replace(path)
    return path


def limits_as_json(limits: Limits) -> dict[str, Jsonable]:
    """The document of a certificate."""
    plain = to_jsonable(limits)
    assert isinstance(plain, dict)  # a dataclass becomes an object
    return {"schema": LIMITS_SCHEMA, **plain}


def limits_from_json(document: Mapping[str, Any]) -> Limits:
    """The certificate of a document.

    Raises:
        RunFilesError: It is none.
    """
    return from_jsonable(Limits, document, where="certificate")


def _path(home: Path | None) -> Path:
    text = json.dumps(this_machine(), sort_keys=True)
    key = hashlib.sha256(text.encode()).hexdigest()[:16]
    return (default_home() if home is None else home) / "selftest" / f"{key}.json"
