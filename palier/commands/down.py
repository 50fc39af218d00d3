"""`palier down`: end every stack that `palier up`, or a killed run, left behind."""

from __future__ import annotations

from argparse import Namespace

from palier.commands.output import print_text
from palier.errors import ExitCode
from palier.stack.cleanup import down_all


def main(_options: Namespace) -> ExitCode:
    report = down_all()
    count = len(report.ended)
    print_text("nothing was up" if not count else f"ended {count} stack{'s' if count > 1 else ''}")
    for record in report.left_running:
        print_text(f"left {record.token} alone: its {record.purpose} is still going on")
    return ExitCode.PASS
