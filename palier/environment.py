"""What a number was measured with: code, versions, hardware, settings (environment.json)."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import psutil

from palier.model.jsonvalue import Jsonable

PACKAGES = (
    "palier",
    "locust",
    "gevent",
    "geventhttpclient",
    "granian",
    "litestar",
    "psycopg",
    "uvloop",
)
"""Packages whose version can change a number."""


def describe_environment(project: Path, further: Mapping[str, Jsonable]) -> dict[str, Jsonable]:
    """The document of ``environment.json``.

    Args:
        project: Directory whose git commit is named, when it is a checkout.
        further: What only the run knows: stack, data, division of the cores.
    """
    return {
        "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit_of(project),
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
        "machine": describe_machine(),
        **further,
    }


def describe_machine() -> dict[str, Jsonable]:
    """Hardware and operating system; names no user and no host."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": processor_name(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
    }


def processor_name() -> str:
    """Model of the processor as the system calls it."""
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def commit_of(project: Path) -> str | None:
    """Commit of a checkout, with ``+changes`` when files differ; None outside of one."""
    try:
        head = _git(project, "rev-parse", "--short=12", "HEAD")
        changed = _git(project, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return None  # no git here, or not a checkout: both are fine for an installed Palier
    return head + ("+changes" if changed else "")


def _git(project: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=project, check=True, capture_output=True, text=True, timeout=10
    ).stdout.strip()
