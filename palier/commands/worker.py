"""`palier worker`: send a share of the load of a `palier run` on another machine.

The master sends scenario and plan; what is needed here is this project, of the same version.
"""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import Namespace

from palier.commands.address import host_and_port
from palier.errors import ExitCode, LoadError


def main(options: Namespace) -> ExitCode:
    host, port = host_and_port(options.master, flag="--master")
    argv = [
        *(sys.executable, "-m", "scenarios.shell", "-f", "-", "--worker", "--palier-join"),
        *("--master-host", host, "--master-port", str(port), "--loglevel", "INFO"),
    ]
    ours = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
    # In the foreground, and with our stdin: Ctrl-C reaches it, and it ends when we do.
    code = subprocess.call(argv, env=ours)
    if code != 0:
        raise LoadError(
            what=f"the worker ended with exit code {code}",
            where=options.master,
            fix="its last lines above say why; `palier run` on the other machine knows the rest",
        )
    return ExitCode.PASS
