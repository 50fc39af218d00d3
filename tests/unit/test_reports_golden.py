"""Markdown and terminal output changed on purpose, or not at all.

``PALIER_UPDATE_GOLDEN=1 pytest tests/unit/test_reports_golden.py`` writes the files anew.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import reports_samples
from rich.cells import cell_len
from rich.text import Text

from reports import junit, markdown
from reports.inputs import ReportPaths
from reports.terminal import summary_text

GOLDEN = Path(__file__).parents[1] / "golden"
PATHS = ReportPaths(
    html=Path("runs") / reports_samples.RUN / "report.html",
    markdown=Path("report.md"),
    junit=Path("junit.xml"),
    figures=(),
)


def same_as_golden(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("PALIER_UPDATE_GOLDEN"):
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8"), f"{name} differs; see this module's docstring"


def terminal(case: str, *, width: int = 100, color: bool = False) -> str:
    inputs = reports_samples.CASES[case]()
    return summary_text(inputs.verdict, inputs.findings, inputs.plan, PATHS, width, color)


@pytest.mark.parametrize("case", ["pass", "fail", "empty", "interrupted"])
def test_the_markdown_summary_is_as_agreed(case: str) -> None:
    inputs = reports_samples.CASES[case]()

    same_as_golden(f"report-{case}.md", markdown.render(inputs, reports_samples.pictures(case)))


@pytest.mark.parametrize("case", ["pass", "fail", "inconclusive", "invalid", "interrupted"])
def test_the_terminal_summary_is_as_agreed(case: str) -> None:
    same_as_golden(f"terminal-{case}.txt", terminal(case))


def test_the_junit_file_is_as_agreed() -> None:
    same_as_golden("junit-fail.xml", junit.render(reports_samples.failing()))


@pytest.mark.parametrize("case", list(reports_samples.CASES))
@pytest.mark.parametrize("width", [60, 80, 140])
def test_no_line_of_the_terminal_summary_is_wider_than_the_terminal(case: str, width: int) -> None:
    lines = terminal(case, width=width).splitlines()

    assert all(cell_len(line) <= width for line in lines if not line.startswith("report "))


def test_colour_adds_nothing_but_colour() -> None:
    coloured = terminal("fail", color=True)

    plain = "\n".join(line.rstrip() for line in Text.from_ansi(coloured).plain.split("\n"))

    assert "\x1b[" in coloured
    assert plain.strip() == terminal("fail").strip()


def test_no_escape_sequence_reaches_a_plain_terminal() -> None:
    assert "\x1b" not in terminal("hostile")
    assert "\x00" not in terminal("hostile")


def test_hostile_text_does_not_break_the_markdown() -> None:
    inputs = reports_samples.hostile()

    text = markdown.render(inputs, reports_samples.pictures("hostile"))

    assert "<script" not in text
    assert "\x1b" not in text
    assert "secret" not in text
    width: int | None = None
    for line in text.splitlines():
        if not line.startswith("|"):
            width = None
            continue
        cells = line.replace("\\|", "").count("|")
        assert width in (None, cells), line[:200]
        width = cells
