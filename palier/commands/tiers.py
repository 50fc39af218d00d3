"""`palier tiers`: the ladder of every system, one line a tier."""

from __future__ import annotations

from argparse import Namespace

from palier.commands.output import print_json, print_text
from palier.describe import describe_tiers, tiers_as_json
from palier.errors import ExitCode
from palier.model.parse import load_catalogue


def main(options: Namespace) -> ExitCode:
    catalogue = load_catalogue(options.tiers)
    if options.json:
        print_json(tiers_as_json(catalogue))
    else:
        print_text(describe_tiers(catalogue))
    return ExitCode.PASS
