"""Arguments in, exit code out. Rules live elsewhere: this module parses, calls and prints.

Results go to stdout, progress and warnings to stderr; with ``--json`` stdout carries exactly one
JSON document.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from palier.commands.disk import disk_errors_told
from palier.commands.output import forget_output
from palier.errors import ConfigError, DiskError, ExitCode, PalierError

EXAMPLES = """\
examples:
  palier doctor                              is everything here that a run needs?
  palier selftest                            how fast and how true does this machine measure?
  palier tiers                               the ladder of every system
  palier show lou-2 --profile smoke          what a run would do, without touching anything
  palier run lou-2 --duration 60s            stack, data, load, verdict, report
  palier run lou-2 --set pagination=none     the same tier with one switch changed
  palier run mine --tiers my.yaml --url http://127.0.0.1:8000
  palier worker --master 192.0.2.1:5557      on another machine: send a share of its load
  palier search lou-2 --width 10%            the highest rate at which every gate is met
  palier search --resume runs/20261121T100000Z-lou-2-search
  palier report runs/20261121T090000Z-lou-2-steady
  palier gate runs/20261121T090000Z-lou-2-steady; echo $?

exit codes:
  0 pass   2 bad arguments or tiers.yaml   3 a gate failed   4 invalid or inconclusive
  5 stack, seed or environment failed      130 interrupted   1 a bug of ours
"""


class Parser(argparse.ArgumentParser):
    """argparse with our error form: what, where, fix, exit code 2."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(
            what=message, where=f"{self.prog} command line", fix=f"{self.prog} --help"
        )


def positive_int(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return value


def seed_number(text: str) -> int:
    if not text.isascii() or not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 0 or more")
    return int(text)


def build_parser() -> Parser:
    parser = Parser(
        prog="palier",
        description=(
            "Load testing and capacity planning for multi-tenant SaaS: "
            "which tier of architecture holds your users, and how do we know?"
        ),
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--version", action="version", version=f"palier {importlib.metadata.version('palier')}"
    )
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name: str, help_text: str) -> argparse.ArgumentParser:
        description = help_text[0].upper() + help_text[1:] + "."
        return subparsers.add_parser(
            name, help=help_text, description=description, allow_abbrev=False
        )

    def add_tiers_file(sub: argparse.ArgumentParser) -> None:
        sub.add_argument(
            "--tiers",
            type=Path,
            default=Path("tiers.yaml"),
            metavar="FILE",
            help="tiers file (default: tiers.yaml)",
        )

    def add_load(sub: argparse.ArgumentParser) -> None:
        sub.add_argument("tier", metavar="TIER", help="tier id, see `palier tiers`")
        add_offered(sub)
        sub.add_argument("--duration", metavar="TIME", help="planned window, e.g. 60s, 10m, 1h")
        sub.add_argument(
            "--remote-workers",
            type=seed_number,
            default=0,
            metavar="M",
            help="so many more on other machines, each started with `palier worker`",
        )
        sub.add_argument(
            "--lost-workers",
            choices=("invalid", "degraded"),
            default="invalid",
            help="a run that lost a worker is unfit (default), or fit as long as at most 1%% of "
            "the planned requests are unknown",
        )
        sub.add_argument(
            "--no-abort",
            action="store_true",
            help="go on to the end, whatever the abort rules of tier and profile say",
        )

    def add_offered(sub: argparse.ArgumentParser) -> None:
        add_tiers_file(sub)
        sub.add_argument("--profile", default="steady", help="shape of the load (default: steady)")
        sub.add_argument(
            "--seed", type=seed_number, default=1, help="seed of schedule and data (default: 1)"
        )
        sub.add_argument(
            "--workers",
            type=positive_int,
            default=1,
            metavar="N",
            help="load generator processes (default: 1)",
        )
        sub.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="SWITCH=VALUE",
            help="change one switch of the tier's variant, e.g. pagination=none; repeatable",
        )
        sub.add_argument("--url", help="drive this service instead of bringing up the tier's stack")

    sub = command("doctor", "what a run needs, what is here, how to get the rest")
    sub.add_argument("--json", action="store_true", help="one JSON document on stdout")

    sub = command("selftest", "what this machine can send, and how true its numbers are")
    sub.add_argument("--json", action="store_true", help="one JSON document on stdout")

    sub = command("tiers", "the ladder of every system, one line a tier")
    add_tiers_file(sub)
    sub.add_argument("--json", action="store_true", help="one JSON document on stdout")

    sub = command("show", "what a run would do; touches nothing")
    add_load(sub)
    sub.add_argument("--json", action="store_true", help="the plan as one JSON document on stdout")

    sub = command("run", "bring up the stack, seed, drive, judge and report")
    add_load(sub)
    sub.add_argument(
        "--out", type=Path, metavar="DIR", help="run directory (default: runs/<UTC>-TIER-PROFILE)"
    )
    sub.add_argument("--json", action="store_true", help="verdict.json on stdout, nothing else")
    sub.add_argument(
        "--master-bind",
        default="0.0.0.0:5557",
        metavar="HOST:PORT",
        help="where remote workers find this machine (default: 0.0.0.0:5557)",
    )
    sub.add_argument("--ui", action="store_true", help="serve Locust's own web page during the run")

    sub = command("worker", "send a share of the load for a `palier run` on another machine")
    sub.add_argument(
        "--master", required=True, metavar="HOST:PORT", help="the machine of `palier run`"
    )

    sub = command("search", "the highest rate at which a tier meets all of its gates")
    sub.add_argument("tier", metavar="TIER", nargs="?", help="tier id, see `palier tiers`")
    add_offered(sub)
    sub.add_argument(
        "--start", metavar="RATE", help="first rate, requests/s (default: that of the tier)"
    )
    sub.add_argument(
        "--most",
        metavar="RATE",
        help="highest rate to try (default: what this machine can send)",
    )
    sub.add_argument(
        "--width", metavar="SHARE", help="how narrow the interval has to be (default: 5%%)"
    )
    sub.add_argument(
        "--longest",
        metavar="TIME",
        help="most time under load, all probes together (default: 2h); more with --resume",
    )
    sub.add_argument(
        "--out", type=Path, metavar="DIR", help="directory (default: runs/<UTC>-TIER-search)"
    )
    sub.add_argument(
        "--resume", type=Path, metavar="DIR", help="go on with a search that was cut off"
    )
    sub.add_argument("--json", action="store_true", help="answer.json on stdout, nothing else")

    sub = command("up", "bring up a tier's stack with its data and leave it running")
    sub.add_argument("tier", metavar="TIER", help="tier id, see `palier tiers`")
    add_tiers_file(sub)
    sub.add_argument("--seed", type=seed_number, default=1, help="seed of the data (default: 1)")
    sub.add_argument("--set", action="append", default=[], metavar="SWITCH=VALUE")

    command("down", "end every stack that up, or a killed run, left behind")

    sub = command("seed", "write a tier's data into a database, or check it")
    sub.add_argument("tier", metavar="TIER", help="tier id, see `palier tiers`")
    add_tiers_file(sub)
    sub.add_argument("--seed", type=seed_number, default=1, help="seed of the data (default: 1)")
    sub.add_argument("--set", action="append", default=[], metavar="SWITCH=VALUE")
    sub.add_argument("--database", metavar="URL", help="an empty PostgreSQL database of yours")
    sub.add_argument("--verify", action="store_true", help="check the data instead of writing it")

    sub = command("report", "rebuild the reports of runs from their files alone")
    sub.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="run directory")

    sub = command("gate", "judge a run again from its files; the exit code tells")
    sub.add_argument("run", type=Path, metavar="RUN", help="run directory")
    sub.add_argument("--json", action="store_true", help="verdict.json on stdout, nothing else")

    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code (the table is in the README)."""
    try:
        with disk_errors_told("stdout"):
            options = build_parser().parse_args(arguments)
            command = importlib.import_module(f"palier.commands.{options.command}")
            exit_code = int(command.main(options))
            # Here, where it can still be told that it did not work.
            sys.stdout.flush()
            return exit_code
    except DiskError as error:
        forget_output()
        sys.stderr.write(f"error: {error}\n")
        return int(error.exit_code)
    except PalierError as error:
        sys.stderr.write(f"error: {error}\n")
        return int(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # The reader of our stdout has gone (`palier tiers | head`): that is its right.
        forget_output()
        return int(ExitCode.PASS)
    except Exception:  # noqa: BLE001  the last line of defence: a bug, told as one
        traceback.print_exc()
        sys.stderr.write("this is a bug of Palier; please report it with the lines above\n")
        return int(ExitCode.BUG)


if __name__ == "__main__":
    sys.exit(main())
