"""`palier doctor`: what a run needs, what is here, how to get the rest."""

from __future__ import annotations

from argparse import Namespace

from palier.commands.output import print_json, print_text
from palier.doctor import examine, exit_code, render
from palier.errors import ExitCode
from palier.model.jsonvalue import to_jsonable

DOCTOR_SCHEMA = 1


def main(options: Namespace) -> ExitCode:
    checks = examine()
    if options.json:
        print_json({"schema": DOCTOR_SCHEMA, "checks": to_jsonable(checks)})
    else:
        print_text(render(checks))
    return exit_code(checks)
