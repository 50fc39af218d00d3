"""`palier report`: rebuild verdict and reports of runs and searches from their files alone."""

from __future__ import annotations

from argparse import Namespace

from palier.commands.disk import disk_errors_told
from palier.commands.output import print_text
from palier.concluding import conclude_search
from palier.errors import ExitCode
from palier.run import conclude
from palier.searchfiles import SearchFiles


def main(options: Namespace) -> ExitCode:
    for run_dir in options.runs:
        search = SearchFiles(run_dir)
        if search.log.is_file():
            with disk_errors_told(run_dir):
                story, report = conclude_search(search)
            print_text(f"{story.answer.end:<12}  {report}")
            continue
        with disk_errors_told(run_dir):
            conclusion, paths = conclude(run_dir)
        print_text(f"{conclusion.verdict.verdict:<12}  {paths.html}")
    return ExitCode.PASS
