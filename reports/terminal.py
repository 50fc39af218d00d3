"""The summary at the end of a run, for a terminal or a log."""

from __future__ import annotations

import io
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from palier.analysis.findings import Findings
from palier.analysis.verdict import RunState, TargetState, Verdict
from palier.model.plan import RunPlan
from reports import format as fmt
from reports import invariants, latency, targets, words
from reports.inputs import ReportPaths
from reports.text import one_line, shortened

NARROWEST: Final = 60
"""Below this a table would be cut to nothing; the terminal may wrap instead."""

RUN_STYLES: Final[dict[RunState, str]] = {
    "PASS": "bold black on green",
    "FAIL": "bold white on red",
    "INCONCLUSIVE": "bold black on yellow",
    "INVALID": "bold white on magenta",
}
_STATES: Final[dict[TargetState, tuple[str, str]]] = {
    "pass": ("✔", "green"),
    "fail": ("✘", "red"),
    "inconclusive": ("?", "yellow"),
    "not_measured": ("·", "dim"),
}


def summary_text(
    verdict: Verdict,
    findings: Findings,
    plan: RunPlan,
    paths: ReportPaths | None,
    width: int,
    color: bool,
) -> str:
    """The answer, the targets, the latencies, the ledger and where the report is.

    Args:
        verdict: The run judged.
        findings: What was found.
        plan: What was to be done.
        paths: The written reports; None when there are none.
        width: Columns of the terminal; lines fit in it, except the path of the report.
        color: Whether to use ANSI colours; the caller respects ``NO_COLOR`` and pipes.

    Returns:
        Text with a newline at the end; nothing in it depends on colour alone.
    """
    console = new_console(width, color=color)
    narrow = console.width < 96
    _answer(console, verdict, findings, plan)
    _targets(console, verdict, narrow=narrow)
    _latency(console, findings, narrow=narrow)
    _ledger(console, findings)
    _data(console, verdict)
    if paths is not None:
        console.print()
        console.print(Text.assemble(("report  ", "bold"), str(paths.html)), soft_wrap=True)
    return printed(console)


def new_console(width: int, *, color: bool) -> Console:
    """A console that keeps what is printed, ``width`` columns wide."""
    return Console(
        file=io.StringIO(),
        width=max(width, NARROWEST),
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
        highlight=False,
        emoji=False,
        markup=False,
        legacy_windows=False,
        _environ={},
    )


def printed(console: Console) -> str:
    """What was printed on a console of ``new_console``, without blanks at the ends of lines."""
    file = console.file
    assert isinstance(file, io.StringIO)
    return "\n".join(line.rstrip() for line in file.getvalue().split("\n"))


def _answer(console: Console, verdict: Verdict, findings: Findings, plan: RunPlan) -> None:
    console.print()
    console.print(
        Text.assemble(
            (f" {verdict.verdict} ", RUN_STYLES[verdict.verdict]),
            (f"  {words.title(plan)}", "bold"),
        )
    )
    console.print(Text(words.deciding_sentence(verdict), style="bold"))
    for reason in verdict.reasons[1:]:
        console.print(Text(f"- {words.sentence(reason)}"))
    partial = words.interrupted(findings)
    if partial is not None:
        console.print(Text(partial, style="yellow"))
    if verdict.verdict != "PASS" and verdict.reasons:
        console.print(Text(words.MEANINGS[verdict.verdict], style="dim"))
    console.print(Text(f"Headroom: {targets.headroom_of_run(verdict).sentence}"))
    console.print(Text(f"Load: {words.offered(plan, findings)}"))
    missing = words.cannot_show(plan)
    for note in (*([missing] if missing is not None else []), *words.notes(findings)):
        console.print(Text(f"Note: {note}", style="dim"))


def _targets(console: Console, verdict: Verdict, *, narrow: bool) -> None:
    missing = targets.not_measured_rows(verdict.targets)
    gates = targets.rows(verdict.targets, "gate")
    goals = targets.rows(verdict.targets, "goal")
    console.print()
    if not gates and not goals:
        console.print(Text("No gate and no goal was measured."))
        return
    table = new_table()
    table.add_column("", no_wrap=True)
    table.add_column("Gates" if gates else "Goals", ratio=1, overflow="ellipsis", no_wrap=True)
    headings = ["Limit", "Measured"] if narrow else ["Limit", "Measured", "95 % interval", "n"]
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for row in gates:
        table.add_row(*_target_cells(row, len(headings)))
    if gates and goals:
        table.add_row("", Text("Goals", style="dim"))
    for row in goals:
        table.add_row(*_target_cells(row, len(headings)))
    console.print(table)
    left_out = sum(1 for row in missing if row.role == "goal")
    if left_out:
        noun = "goal was" if left_out == 1 else "goals were"
        console.print(Text(f"{left_out} {noun} not measured; the report says why.", style="dim"))


def _target_cells(row: targets.TargetRow, numbers: int) -> list[Text]:
    mark, style = _STATES[row.state]
    about = f" ({row.about})" if row.about else ""
    cells = [row.limit, row.measured, row.interval, row.samples.removeprefix("n=")][:numbers]
    return [
        Text(f"{mark} {row.state_words}", style=style),
        Text(f"{row.id} {row.title}{about}"),
        *(Text(shortened(cell.replace("requests/s", "/s"), 24)) for cell in cells),
    ]


def _latency(console: Console, findings: Findings, *, narrow: bool) -> None:
    console.print()
    table = new_table()
    table.add_column("Operation", ratio=1, overflow="ellipsis", no_wrap=True)
    names = [fmt.percentile_name(at) for at in latency.SHOWN]
    columns = ["planned", "errors", *(f"resp {name}" for name in names)]
    if not narrow:
        columns += ["max", *(f"serv {name}" for name in names)]
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    for row in latency.operation_rows(findings):
        cells = [
            Text(row.name, style="bold" if row.all_requests else ""),
            Text(row.requests),
            Text(row.errors, style="red" if row.has_errors else ""),
            *(_cell(cell) for cell in row.response),
        ]
        if not narrow:
            cells += [Text(row.response_max), *(_cell(cell) for cell in row.service)]
        table.add_row(*cells)
    console.print(table)
    sentence = words.two_clocks(findings.overall)
    if sentence is not None:
        console.print(Text(sentence))


def _ledger(console: Console, findings: Findings) -> None:
    console.print()
    for identity in words.identities(findings.ledger):
        console.print(Text.assemble(("ledger  ", "bold"), identity))
    if not findings.ledger.closes:
        console.print(Text(words.ledger_verdict(findings.ledger), style="red"))
    for check in findings.health:
        if not check.ok:
            console.print(
                Text.assemble(
                    ("unfit   ", "bold red"),
                    f"{one_line(check.name)}: {one_line(check.measured)}, "
                    f"limit {one_line(check.limit)}. {one_line(check.why)}",
                )
            )


def _data(console: Console, verdict: Verdict) -> None:
    if not verdict.invariants:
        return
    console.print(Text.assemble(("data    ", "bold"), invariants.summary(verdict.invariants)))
    any_looked_at = any(one.state in ("held", "violated") for one in verdict.invariants)
    for row in invariants.rows(verdict.invariants):
        # What does not apply to this run is in the report; when it is all of it, it is said here.
        if row.state != "held" and not (row.state == "not_applicable" and any_looked_at):
            style = "bold red" if row.state == "violated" else "dim"
            text = f"{row.id}: {row.answer}"
            console.print(Text.assemble((f"{row.state_words}  ", style), shortened(text, 300)))


def new_table() -> Table:
    """A table without lines."""
    return Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), expand=True, header_style="dim")


def _cell(cell: latency.Cell) -> Text:
    return Text("–", style="dim") if cell.refused else Text(cell.value)
