"""`palier gate`: judge a run again from its files; the exit code tells. Writes nothing."""

from __future__ import annotations

from argparse import Namespace

from palier.commands.summary import tell
from palier.errors import ExitCode
from palier.judging import judge_files


def main(options: Namespace) -> ExitCode:
    conclusion, _ = judge_files(options.run)
    tell(conclusion, None, as_json=options.json)
    return conclusion.verdict.exit_code
