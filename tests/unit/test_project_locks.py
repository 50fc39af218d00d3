"""The lock files hold everything that pyproject.toml asks for, with hashes."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from project_tree import ROOT

PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PIN = re.compile(r"^(\S+)==(\S+)(?: ; (.*?))?(?= \\$|$)", re.MULTILINE)


def pins(group: str) -> dict[str, set[Version]]:
    """Locked versions by name: one, or several for several versions of Python."""
    text = (ROOT / "requirements" / f"{group}.txt").read_text(encoding="utf-8")
    found: dict[str, set[Version]] = {}
    for name, version, _ in PIN.findall(text):
        found.setdefault(name, set()).add(Version(version))
    return found


def asked_for(group: str) -> list[Requirement]:
    """Requirements of the project and of a dependency group, included groups too."""
    wanted = []
    for entry in PYPROJECT["dependency-groups"][group]:
        if isinstance(entry, dict):
            wanted += asked_for(entry["include-group"])
        else:
            wanted.append(Requirement(entry))
    return wanted


WANTED = {
    "run": [*map(Requirement, PYPROJECT["project"]["dependencies"]), *asked_for("build")],
    "dev": [*map(Requirement, PYPROJECT["project"]["dependencies"]), *asked_for("dev")],
}


@pytest.mark.parametrize("group", ["run", "dev"])
def test_every_dependency_is_locked_at_a_version_it_allows(group):
    locked = pins(group)

    for requirement in WANTED[group]:
        versions = locked.get(canonicalize_name(requirement.name))
        assert versions, f"{requirement} is not in requirements/{group}.txt: make lock"
        assert all(requirement.specifier.contains(version) for version in versions), requirement


@pytest.mark.parametrize("group", ["run", "dev"])
def test_every_locked_package_has_a_hash(group):
    text = (ROOT / "requirements" / f"{group}.txt").read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\S)", text.strip())

    assert len(entries) > 50
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_dev_lock_holds_the_run_lock_at_the_same_versions():
    """Set-up takes a dev environment for a run environment."""
    run, dev = pins("run"), pins("dev")

    assert {name: dev.get(name) for name in run} == run


def test_the_build_tools_are_locked_for_a_run_without_the_dev_group():
    """The project itself is installed without build isolation, also by `make run`."""
    backend = [Requirement(text) for text in PYPROJECT["build-system"]["requires"]]
    run = pins("run")

    for requirement in backend:
        assert all(requirement.specifier.contains(v) for v in run[requirement.name])
    assert "editables" in run


def test_markers_of_the_locks_can_be_read():
    for group in ("run", "dev"):
        text = (ROOT / "requirements" / f"{group}.txt").read_text(encoding="utf-8")
        for _, _, marker in PIN.findall(text):
            if marker:
                Marker(marker)
