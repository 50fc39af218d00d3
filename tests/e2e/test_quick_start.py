"""A command loads what it needs when it needs it: a mistake is told at once, a gate is quick."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(
    ("command", "not_yet"),
    [
        ("run", {"pandas", "scipy", "matplotlib", "locust"}),
        ("tiers", {"pandas", "scipy", "matplotlib", "locust", "psycopg"}),
        ("gate", {"scipy.stats", "matplotlib", "locust", "faker", "psycopg"}),
    ],
)
def test_calling_a_command_does_not_load_what_only_others_need(
    command: str, not_yet: set[str]
) -> None:
    code = f"import sys, palier.cli, palier.commands.{command}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not_yet & set(loaded) == set()
