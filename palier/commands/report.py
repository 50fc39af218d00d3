"""`palier report`: rebuild verdict and reports of runs from their files alone."""

from __future__ import annotations

from argparse import Namespace

from palier.commands.disk import disk_errors_told
from palier.commands.output import print_text
from palier.errors import ExitCode
from palier.run import conclude


def main(options: Namespace) -> ExitCode:
    for run_dir in options.runs:
        with disk_errors_told(run_dir):
            conclusion, paths = conclude(run_dir)
        print_text(f"{conclusion.verdict.verdict:<12}  {paths.html}")
    return ExitCode.PASS
