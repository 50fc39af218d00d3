"""The doctor finds what is here, and says how to get what is not."""

from __future__ import annotations

import dataclasses
from urllib.parse import urlsplit

import pytest

from palier import doctor
from palier.doctor import Check, examine, exit_code, render
from palier.errors import ExitCode, StackError
from palier.machine import processors
from palier.stack.address import parts_of
from palier.stack.identity import ProcessId
from palier.stack.redis_server import open_redis
from palier.stack.registry import write_record
from palier.stack.workspace import Workspace

OK = Check(name="Python", status="ok", found="3.11.7")
MISSING = Check(name="PostgreSQL", status="missing", found="none", fix="pip install it")
OPTIONAL = dataclasses.replace(MISSING, name="nginx", required=False)
SLOW = Check(name="cores", status="warning", found="one core", fix="buy some")


def by_name(checks: tuple[Check, ...]) -> dict[str, Check]:
    return {check.name: check for check in checks}


@pytest.mark.parametrize(
    ("checks", "code"),
    [
        ((OK, SLOW, OPTIONAL), ExitCode.PASS),
        ((OK, MISSING), ExitCode.ENVIRONMENT),
    ],
)
def test_only_a_missing_thing_that_every_run_needs_is_a_failure(checks, code):
    assert exit_code(checks) is code


def test_the_text_has_every_finding_with_its_fix_and_a_conclusion():
    text = render((OK, SLOW, OPTIONAL, MISSING))

    for check in (OK, SLOW, OPTIONAL, MISSING):
        assert check.name in text
        assert check.found in text
        assert check.fix in text
    assert text.endswith("A run cannot start without: PostgreSQL.")
    assert render((OK, OPTIONAL)).endswith("Everything that a run needs is here.")


@pytest.mark.db
def test_this_machine_can_run_and_nothing_is_left_of_the_trial(stacks_home, monkeypatch):
    monkeypatch.setattr("palier.stack.programs.SBIN", ())
    checks = by_name(examine(environ={"PATH": ""}, home=stacks_home))

    assert exit_code(tuple(checks.values())) is ExitCode.PASS
    assert checks["PostgreSQL"].status == "ok"
    assert "started" in checks["PostgreSQL"].found
    assert checks["stacks"].status == "ok"
    # Redis comes with our packages. Nothing is on an empty PATH, and most tiers need neither.
    assert checks["Redis"].status == "ok"
    for name in ("PgBouncer", "nginx"):
        assert (checks[name].status, checks[name].required) == ("missing", False)
        assert "install" in checks[name].fix
    assert all(check.fix for check in checks.values() if check.status != "ok")


@pytest.mark.db
def test_your_own_server_is_looked_at_instead_and_its_password_not_shown(postgres, stacks_home):
    environ = {"PALIER_DATABASE_URL": postgres.maintenance_url}

    found = by_name(examine(environ=environ, home=stacks_home))["PostgreSQL"]

    assert found.status == "ok"
    assert "PALIER_DATABASE_URL" in found.found
    assert parts_of(postgres.maintenance_url)["password"] not in found.found


def test_your_own_redis_is_asked_and_its_password_not_shown(stacks_home):
    with Workspace.create(purpose="test", home=stacks_home) as workspace:
        url = open_redis(workspace, environ={}).url
        found = doctor._redis({"PALIER_REDIS_URL": url})
    gone = doctor._redis({"PALIER_REDIS_URL": url})

    assert found.status == "ok"
    assert "PALIER_REDIS_URL" in found.found
    assert (gone.status, gone.required) == ("missing", False)
    for check in (found, gone):
        assert str(urlsplit(url).password) not in check.found


def test_a_server_that_does_not_start_is_a_finding_with_its_fix(stacks_home, monkeypatch):
    def fails(*_: object, **__: object) -> None:
        raise StackError(what="no programs", where="here", fix="install them")

    monkeypatch.setattr(doctor, "start_server", fails)

    checks = examine(environ={}, home=stacks_home)

    assert by_name(checks)["PostgreSQL"] == Check(
        name="PostgreSQL", status="missing", found="no programs", fix="install them"
    )
    assert exit_code(checks) is ExitCode.ENVIRONMENT


def test_what_a_killed_command_left_is_a_warning_that_names_the_command_to_end_it(
    stacks_home, monkeypatch
):
    dead = ProcessId(pid=2**22 - 1, birth="another boot/1")
    with Workspace.create(purpose="run", home=stacks_home) as workspace:
        write_record(workspace.folder, dataclasses.replace(workspace.record, owner=dead))

        left = doctor._left_behind(stacks_home)

    assert (left.status, left.fix) == ("warning", "palier down")


@pytest.mark.parametrize(
    ("content", "cores"), [("max 100000\n", None), ("150000 100000\n", 1.5), ("", None)]
)
def test_a_containers_cpu_limit_is_read_in_cores(content, cores, tmp_path, monkeypatch):
    (tmp_path / "cpu.max").write_text(content)
    monkeypatch.setattr(processors, "CPU_LIMIT", tmp_path / "cpu.max")

    assert processors.cgroup_cores() == cores
