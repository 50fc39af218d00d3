"""Which PostgreSQL programs are taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from palier.errors import StackError
from palier.stack.binaries import find_binaries


def installation(directory: Path, answer: str) -> Path:
    """Programs that know their version and nothing else."""
    directory.mkdir(parents=True)
    for name in ("postgres", "initdb"):
        program = directory / name
        program.write_text(f"#!/bin/sh\necho '{answer}'\n")
        program.chmod(0o755)
    return directory


def test_the_first_new_enough_installation_is_taken(tmp_path):
    old = installation(tmp_path / "14", "postgres (PostgreSQL) 14.19")
    good = installation(tmp_path / "16", "postgres (PostgreSQL) 16.2 (Debian 16.2-1)")
    newer = installation(tmp_path / "18", "postgres (PostgreSQL) 18.1")

    found = find_binaries([("old", old), ("good", good), ("newer", newer)])

    assert (found.version, found.major, found.origin) == ("16.2", 16, "good")
    assert found.program("initdb") == str(good / "initdb")


def test_a_development_version_counts(tmp_path):
    found = find_binaries([("beta", installation(tmp_path / "b", "postgres (PostgreSQL) 19beta1"))])

    assert found.major == 19


def test_programs_of_another_machine_are_passed_over(tmp_path):
    foreign = installation(tmp_path / "foreign", "x")
    (foreign / "postgres").write_bytes(b"\x7fELF no such machine")
    good = installation(tmp_path / "good", "postgres (PostgreSQL) 18.6")

    assert find_binaries([("foreign", foreign), ("good", good)]).origin == "good"


def test_a_client_only_installation_is_passed_over(tmp_path):
    client = installation(tmp_path / "client", "postgres (PostgreSQL) 18.6")
    (client / "initdb").unlink()

    with pytest.raises(StackError):
        find_binaries([("client", client)])


def test_nothing_usable_is_an_error_that_names_what_is_too_old_and_how_to_get_more(tmp_path):
    old = installation(tmp_path / "14", "postgres (PostgreSQL) 14.19")

    with pytest.raises(StackError) as caught:
        find_binaries([("old", old), ("none", tmp_path / "none")])

    assert f"{old} is 14.19" in caught.value.what
    assert "PALIER_DATABASE_URL" in caught.value.fix
