"""The answer of a search, for a terminal or a log."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from rich.text import Text

from palier.capacity.story import SearchStory
from palier.model.plan import RunPlan
from reports import words as run_words
from reports.search import words
from reports.search.inputs import SearchInputs
from reports.terminal import RUN_STYLES, new_console, new_table, printed
from reports.text import shortened

_MARKS: Final = {"pass": "✔", "fail": "✘", "inconclusive": "?", "not_measured": "·"}
_STYLES: Final = {"pass": "green", "fail": "red", "inconclusive": "yellow", "not_measured": "dim"}


def answer_text(story: SearchStory, plan: RunPlan, report: Path, *, width: int, color: bool) -> str:
    """The interval, what binds, the probes and where the report is.

    Args:
        story: The search.
        plan: Of its tier.
        report: The written page.
        width: Columns of the terminal.
        color: Whether to use ANSI colours; nothing depends on colour alone.
    """
    console = new_console(width, color=color)
    inputs = SearchInputs(plan=plan, story=story)
    answer = story.answer
    console.print()
    console.print(
        Text.assemble(
            (f" {words.interval(answer)} ", RUN_STYLES[words.state_of(answer)]),
            (f"  {run_words.title(plan)}", "bold"),
        )
    )
    console.print(Text(words.headline(inputs), style="bold"))
    console.print(Text(words.binding(inputs)))
    console.print(Text(words.end(story), style="dim"))
    precision = f"width {words.width(story)}; {words.effort(answer)}"
    if (guess := words.guess(answer)) is not None:
        precision = f"most probably {guess}; {precision}"
    console.print(Text(precision[0].upper() + precision[1:]))
    if in_users := words.users(inputs):
        console.print(Text(f"That is {in_users}."))
    for note in words.notes(inputs):
        console.print(Text(f"Note: {note}", style="dim"))
    console.print()
    table = new_table()
    for title, right in (
        ("", True),
        ("requests/s", True),
        ("", False),
        ("evidence", True),
        ("gate", False),
        ("missed by", False),
    ):
        table.add_column(title, justify="right" if right else "left", no_wrap=True)
    for row in words.probe_rows(story):
        table.add_row(
            row.number,
            row.rate,
            Text(f"{_MARKS[row.state]} {row.outcome}", style=_STYLES[row.state]),
            row.seconds,
            shortened(row.gate, 24),
            row.missed,
        )
    console.print(table)
    console.print()
    console.print(Text.assemble(("report  ", "bold"), str(report)), soft_wrap=True)
    return printed(console)
