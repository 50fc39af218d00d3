"""The end of `palier run` and `palier gate`: the verdict for people, or as a document."""

from __future__ import annotations

import os
import shutil
import sys

from palier.analysis.documents import verdict_as_json
from palier.commands.output import forget_output, print_json
from palier.judging import Conclusion
from reports.inputs import ReportPaths
from reports.terminal import summary_text

DEFAULT_WIDTH = 100
"""Columns when nobody says: a log, a pipe."""


def tell(conclusion: Conclusion, paths: ReportPaths | None, *, as_json: bool) -> None:
    """The summary on stdout; with ``as_json`` the verdict document there and the summary on
    stderr.

    A reader who has gone (`palier gate RUN | head`) changes nothing: the exit code still tells.
    """
    try:
        _tell(conclusion, paths, as_json=as_json)
        sys.stdout.flush()
    except BrokenPipeError:
        forget_output()


def _tell(conclusion: Conclusion, paths: ReportPaths | None, *, as_json: bool) -> None:
    stream = sys.stderr if as_json else sys.stdout
    stream.write(
        summary_text(
            conclusion.verdict,
            conclusion.findings,
            conclusion.plan,
            paths,
            width=shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns,
            color=stream.isatty() and "NO_COLOR" not in os.environ,
        )
    )
    if as_json:
        print_json(verdict_as_json(conclusion.verdict))
