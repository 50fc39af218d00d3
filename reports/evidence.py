"""Telemetry, exemplars, events and environment, made ready to be shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from palier.analysis.findings import Findings
from reports import format as fmt
from reports.inputs import Record
from reports.text import one_line, shortened, without_passwords

CPU_METRIC: Final = "cpu_cores"
MOST_EXEMPLARS: Final = 20
MOST_EVENTS: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ExemplarRow:
    """One request worth looking at."""

    at: str
    operation: str
    outcome: str
    response: str
    service: str
    lag: str
    status: str
    request_id: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuRow:
    """Processor use of one component over the judged window."""

    component: str
    mean: str
    highest: str


def cpu_by_component(telemetry: pd.DataFrame) -> dict[str, pd.Series[float]]:
    """Cores in use by component, the busiest first; empty without telemetry."""
    if telemetry.empty or CPU_METRIC not in set(telemetry["name"]):
        return {}
    rows = telemetry[telemetry["name"] == CPU_METRIC].dropna(subset=["at_s", "value"])
    groups = {
        source: group.sort_values("at_s").set_index("at_s")["value"].astype(float)
        for source, group in rows.groupby(rows["source"].astype(str), sort=True)
    }
    return dict(sorted(groups.items(), key=lambda item: (-float(item[1].mean()), item[0])))


def cpu_rows(cores: Mapping[str, pd.Series[float]], findings: Findings) -> list[CpuRow]:
    """Mean and highest sample of each component inside the judged window."""
    rows = []
    for component, series in cores.items():
        inside = series[
            (series.index >= findings.judged_from_s) & (series.index <= findings.judged_to_s)
        ]
        mean = float(inside.mean()) if len(inside) else None
        highest = float(inside.max()) if len(inside) else None
        rows.append(
            CpuRow(
                component=one_line(component),
                mean=_cores(mean),
                highest=_cores(highest),
            )
        )
    return rows


def total_cores(environment: Record) -> int | None:
    """Processor cores of the machine, when ``environment.json`` says so."""
    machine = environment.get("machine")
    cores = machine.get("cores") if isinstance(machine, Mapping) else None
    return cores if isinstance(cores, int) and cores > 0 else None


def failures(exemplars: Sequence[Record]) -> list[ExemplarRow]:
    """Requests that went wrong, in time order."""
    wrong = [e for e in exemplars if e.get("outcome") not in (None, "succeeded")]
    return [_exemplar(e) for e in sorted(wrong, key=_intended)][:MOST_EXEMPLARS]


def slowest(exemplars: Sequence[Record]) -> list[ExemplarRow]:
    """Requests with the longest response time, whatever their outcome."""
    timed = [(e, took) for e in exemplars if (took := _between(e, "intended_s", "ended_s"))]
    timed.sort(key=lambda pair: (-pair[1], _intended(pair[0])))
    return [_exemplar(e) for e, _ in timed[:MOST_EXEMPLARS]]


def notable_events(events: Sequence[Record]) -> list[tuple[float, str, str]]:
    """(offset, kind, words) of everything that has a time, in time order."""
    timed = [
        (at, one_line(e.get("kind")), _event_words(e))
        for e in events
        if (at := _number(e.get("at_s"))) is not None
    ]
    return sorted(timed)[:MOST_EVENTS]


def disturbances(events: Sequence[Record], window_s: float) -> list[tuple[float, str]]:
    """What happened *to* the system or the generator inside the window: marked in the figure."""
    return [
        (at, words)
        for at, kind, words in notable_events(events)
        if kind in ("fault", "worker", "component", "abort") and 0 <= at <= window_s
    ]


def bends(events: Sequence[Record], window_s: float) -> list[float]:
    """Where the load changes its course inside the window, by plan."""
    return [at for at, kind, _ in notable_events(events) if kind == "stage" and 0 < at < window_s]


def environment_rows(environment: Record) -> list[tuple[str, str]]:
    """Nested objects as ``hardware / cpu model`` and a value; URLs lose their passwords."""
    rows: list[tuple[str, str]] = []

    def walk(prefix: str, value: Any) -> None:
        if isinstance(value, Mapping):
            for key in value:
                name = one_line(key).replace("_", " ")
                walk(f"{prefix} / {name}" if prefix else name, value[key])
        elif isinstance(value, list | tuple):
            rows.append((prefix, ", ".join(one_line(item) for item in value) or "none"))
        else:
            rows.append((prefix, _scalar(value)))

    walk("", environment)
    return [
        (name, shortened(without_passwords(text), 400)) for name, text in rows if name != "schema"
    ]


def _scalar(value: Any) -> str:
    match value:
        case None:
            return "not recorded"
        case bool():
            return "yes" if value else "no"
        case _:
            return one_line(value)


def _cores(value: float | None) -> str:
    return fmt.NOT_MEASURED if value is None else f"{value:.2f} cores"


def _exemplar(exemplar: Record) -> ExemplarRow:
    return ExemplarRow(
        at=_at(exemplar),
        operation=one_line(exemplar.get("operation")),
        outcome=one_line(exemplar.get("outcome")).replace("_", " "),
        response=fmt.duration(_between(exemplar, "intended_s", "ended_s")),
        service=fmt.duration(_between(exemplar, "started_s", "ended_s")),
        lag=fmt.duration(_between(exemplar, "intended_s", "started_s")),
        status=one_line(exemplar.get("status")),
        request_id=one_line(exemplar.get("request_id")),
        message=shortened(one_line(exemplar.get("message")), 300),
    )


def _at(exemplar: Record) -> str:
    intended = _number(exemplar.get("intended_s"))
    return "–" if intended is None else f"{intended:.2f} s"


def _intended(exemplar: Record) -> float:
    intended = _number(exemplar.get("intended_s"))
    return -1.0 if intended is None else intended


def _between(exemplar: Record, first: str, second: str) -> float | None:
    start, end = _number(exemplar.get(first)), _number(exemplar.get(second))
    return None if start is None or end is None else end - start


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return fmt.known(float(value))


def _event_words(event: Record) -> str:
    name, message = one_line(event.get("name")), event.get("message")
    return shortened(f"{name}: {one_line(message)}" if message else name, 200)
