"""Which figures a run gets, with the sentences that go with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from matplotlib.figure import Figure

from palier.analysis.findings import Findings
from palier.analysis.verdict import TargetVerdict, Verdict
from reports import evidence
from reports import format as fmt
from reports.figures import by_operation, cpu, over_time, spectrum, style
from reports.figures.svg import Drawing, to_drawing
from reports.figures.thin import columns
from reports.inputs import ReportInputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One figure of the report, drawn for a wide and for a narrow screen.

    Attributes:
        name: Stem of the file names.
        label: What it shows with its key numbers, for people who do not see it.
        caption: How to read it.
        wide: For desktop and print.
        narrow: For a phone.
    """

    name: str
    label: str
    caption: str
    wide: Drawing
    narrow: Drawing


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """Figures of a report; None where there is nothing to draw."""

    over_time: Picture | None
    by_operation: Picture | None
    spectrum: Picture | None
    cpu: Picture | None

    def all(self) -> list[Picture]:
        """Those that exist, in the order of the page."""
        every = (self.over_time, self.by_operation, self.spectrum, self.cpu)
        return [picture for picture in every if picture is not None]


def draw_all(inputs: ReportInputs) -> Pictures:
    """Draw every figure the run has data for."""
    return Pictures(
        over_time=_over_time(inputs),
        by_operation=_by_operation(inputs.findings),
        spectrum=_spectrum(inputs.findings),
        cpu=_cpu(inputs),
    )


def draw_picture(
    name: str, *, label: str, caption: str, draw: Callable[[style.Width], Figure]
) -> Picture:
    """One figure, drawn for both screens."""
    drawings = []
    for width in (style.WIDE, style.NARROW):
        with style.drawing(width):
            drawings.append(to_drawing(draw(width), name=f"{name}-{width.name}", label=label))
    return Picture(name=name, label=label, caption=caption, wide=drawings[0], narrow=drawings[1])


def _over_time(inputs: ReportInputs) -> Picture | None:
    findings = inputs.findings
    if not any(point.planned for point in findings.seconds):
        return None
    limits = _latency_limits(inputs.verdict)
    disturbances = evidence.disturbances(inputs.events, findings.window_s)
    bends = evidence.bends(inputs.events, findings.window_s)
    whole = max(
        (p.response_max_s for p in findings.seconds if p.response_max_s is not None), default=None
    )
    worst = max(
        (
            (p.response_p95_s, p.second)
            for p in findings.seconds
            if p.response_p95_s is not None and p.second >= findings.judged_from_s
        ),
        default=None,
    )
    unsuccessful = findings.ledger.failed + findings.ledger.timed_out + findings.ledger.abandoned
    label = (
        f"Latency and rate over {fmt.span(findings.window_s)}. "
        + (
            f"Highest response p95 of a judged second: {fmt.duration(worst[0])} "
            f"at second {worst[1]}. "
            if worst is not None
            else "No response was measured in the judged window. "
        )
        + f"Slowest response: {fmt.duration(whole)}. "
        + f"Offered {fmt.rate(findings.offered_per_s)}, sent {fmt.rate(findings.achieved_per_s)}. "
        + f"Unsuccessful requests: {unsuccessful:,}; not sent: {findings.ledger.skipped:,}."
    )
    caption = (
        "Each value belongs to the second in which the schedule wanted the request to start, "
        "so a stall is charged to every request that should have been sent during it."
    )
    if bends:
        caption += " Thin dotted lines mark where the load changes its course by plan."
    widest = max(column.width_s for column in columns(findings.seconds, most=300))
    if widest > 1:
        caption += (
            f" Drawn in columns of {widest:g} s, each with the latency of its worst second "
            "(wider columns on a narrow screen); all statistics use every request."
        )
    return draw_picture(
        "latency-over-time",
        label=label,
        caption=caption,
        draw=lambda width: over_time.draw(
            findings, limits=limits, events=disturbances, bends=bends, width=width
        ),
    )


def _latency_limits(verdict: Verdict) -> list[TargetVerdict]:
    """Gates on the response time of all requests together, tightest first."""
    gates = [
        target
        for target in verdict.targets
        if target.role == "gate"
        and target.metric == "response_time"
        and target.operation is None
        and target.unit in ("ms", "s")
        and target.comparator in ("<", "<=")
        and fmt.known(target.limit) is not None
    ]
    return sorted(gates, key=lambda t: (t.limit or 0.0) * (1 if t.unit == "s" else 0.001))


def _by_operation(findings: Findings) -> Picture | None:
    shown = by_operation.slowest_first(findings.operations)
    if not shown:
        return None
    slowest = shown[0]
    highest = max(by_operation.points(slowest.response), key=lambda point: point[1])
    left_out = len(findings.operations) - min(len(shown), by_operation.MOST_OPERATIONS)
    caption = "Filled marks: response time, from the intended start. Open marks: service time."
    if left_out > 0:
        caption += f" {left_out} more operations are in the table only."
    return draw_picture(
        "latency-by-operation",
        label=(
            f"Response and service percentiles of {len(shown)} operations. "
            f"Slowest: {slowest.operation}, response {fmt.percentile_name(highest[0])} "
            f"{fmt.duration(highest[1])}. The table after this figure has all numbers."
        ),
        caption=caption,
        draw=partial(_draw_operations, findings),
    )


def _draw_operations(findings: Findings, width: style.Width) -> Figure:
    return by_operation.draw(findings.operations, width=width)


def _spectrum(findings: Findings) -> Picture | None:
    response, service = findings.overall.response, findings.overall.service
    shown = spectrum.drawable(response)
    if len(shown) < 2:
        return None
    numbers = ", ".join(
        f"{fmt.percentile_name(fraction)} {fmt.estimate(value)}" for fraction, value in shown
    )
    return draw_picture(
        "latency-spectrum",
        label=f"Distribution of all response times: {numbers}.",
        caption="The axis stretches towards the rare, slow requests. Bands are 95 % intervals. "
        "Percentiles that the number of requests does not support are left out.",
        draw=lambda width: spectrum.draw(response, service, width=width),
    )


def _cpu(inputs: ReportInputs) -> Picture | None:
    cores = evidence.cpu_by_component(inputs.telemetry)
    window_s = inputs.findings.window_s
    if not any(
        ((series.index >= 0) & (series.index <= window_s)).any() for series in cores.values()
    ):
        return None
    numbers = "; ".join(
        f"{row.component} {row.mean} on average"
        for row in evidence.cpu_rows(cores, inputs.findings)
    )
    return draw_picture(
        "cpu",
        label=f"Processor cores in use over time. {numbers}.",
        caption="The load generator shares the machine with the system it measures; "
        "if it was starved, the run is invalid.",
        draw=lambda width: cpu.draw(
            cores,
            window_s=window_s,
            total_cores=evidence.total_cores(inputs.environment),
            width=width,
        ),
    )
