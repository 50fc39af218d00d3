"""Starting an application: it is ready, or an error says why not."""

from __future__ import annotations

import http.client
import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from palier.errors import StackError
from palier.model.tier import StackSpec
from palier.model.variant import Variant
from palier.stack.app import App, start_app
from palier.stack.ports import HOST, free_port, is_free
from palier.stack.workspace import Workspace

SUPPORT = str(Path(__file__).parents[1] / "support")
WITH_SUPPORT = {
    "PYTHONPATH": os.pathsep.join(filter(None, [SUPPORT, os.environ.get("PYTHONPATH")]))
}

NO_DATABASE = {"APP_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}


def start_tiny(workspace: Workspace, behaviour: str = "ready", processes: int = 1) -> App:
    return start_app(
        workspace,
        spec=StackSpec(app_processes=processes),
        variant=Variant(),
        environment=NO_DATABASE | WITH_SUPPORT | {"TINY_APP": behaviour},
        target="tiny_app:create_app",
    )


def get(url: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        connection.request("GET", "/hello")
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_it_answers_with_the_asked_number_of_processes_and_frees_its_port(stacks_home):
    with Workspace.create(purpose="test", home=stacks_home) as workspace:
        app = start_tiny(workspace, processes=2)

        assert get(app.url) == (200, b"/hello")
        assert len(app.process.pids()) == 3

    assert is_free(int(app.url.rpartition(":")[2]))


def test_an_application_that_dies_at_start_is_an_error_with_its_last_lines(stacks_home, tmp_path):
    with (
        Workspace.create(purpose="test", home=stacks_home, logs=tmp_path) as workspace,
        pytest.raises(StackError) as caught,
    ):
        start_tiny(workspace, "dies")

    assert "the flux capacitor is missing" in caught.value.what
    assert caught.value.where == str(tmp_path / "app.log")


def test_an_application_that_is_never_ready_is_an_error_with_what_it_answered(
    stacks_home, monkeypatch
):
    monkeypatch.setattr("palier.stack.app.START_DEADLINE_S", 2.0)
    with (
        Workspace.create(purpose="test", home=stacks_home) as workspace,
        pytest.raises(StackError, match=r"not ready after 2 s: GET /health/ready answered 503"),
    ):
        start_tiny(workspace, "never_ready")


def test_a_port_that_somebody_takes_first_costs_a_second_try(stacks_home, monkeypatch):
    taken, free = free_port(), free_port()
    ports = iter([taken, free])
    monkeypatch.setattr("palier.stack.listening.free_port", lambda: next(ports))
    with (
        socket.create_server((HOST, taken)),
        Workspace.create(purpose="test", home=stacks_home) as workspace,
    ):
        assert start_tiny(workspace).url == f"http://{HOST}:{free}"


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="needs Linux")
def test_workers_inherit_the_cores_of_the_application(stacks_home):
    core = max(os.sched_getaffinity(0))
    with Workspace.create(purpose="test", home=stacks_home) as workspace:
        app = start_app(
            workspace,
            spec=StackSpec(),
            variant=Variant(),
            environment=NO_DATABASE | WITH_SUPPORT,
            cpus=[core],
            target="tiny_app:create_app",
        )

        assert [os.sched_getaffinity(pid) for pid in app.process.pids()] == [{core}, {core}]


def test_somebody_elses_answer_is_not_taken_for_ours(stacks_home, monkeypatch):
    """Another server answers on the port we wanted, and even says that it is ready."""
    with (
        Workspace.create(purpose="test", home=stacks_home) as other,
        Workspace.create(purpose="test", home=stacks_home) as workspace,
    ):
        theirs = start_tiny(other)
        ports = iter([int(theirs.url.rpartition(":")[2]), free_port()])
        monkeypatch.setattr("palier.stack.listening.free_port", lambda: next(ports))

        ours = start_tiny(workspace)

        assert ours.url != theirs.url
        assert get(ours.url) == get(theirs.url) == (200, b"/hello")
