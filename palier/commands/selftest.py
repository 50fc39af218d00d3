"""`palier selftest`: what this machine can send, and how true its numbers are."""

from __future__ import annotations

import os
import shutil
import sys
from argparse import Namespace

from palier.commands.output import print_json, print_text
from palier.commands.summary import DEFAULT_WIDTH
from palier.errors import ExitCode
from palier.selftest.certify import certify
from palier.selftest.limits import keep, limits_as_json
from palier.selftest.table import limits_text


def main(options: Namespace) -> ExitCode:
    """Certify this machine; 4 when its numbers cannot be relied on."""
    limits = certify(_say)
    fit = limits.tells_the_truth and limits.rate_per_s > 0
    # One that certifies nothing would make every run INVALID, and replace a good one.
    kept = keep(limits) if fit else None
    if options.json:
        print_json(limits_as_json(limits))
    else:
        width = shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns
        color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        print_text(limits_text(limits, kept, width=width, color=color))
    return ExitCode.PASS if fit else ExitCode.UNDECIDED


def _say(what: str) -> None:
    sys.stderr.write(f"{what}\n")
