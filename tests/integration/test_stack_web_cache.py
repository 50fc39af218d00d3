"""nginx keeps what everybody may see, and nothing else."""

from __future__ import annotations

import http.client
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import psutil
import pytest

from palier.errors import StackError
from palier.stack import programs
from palier.stack.identity import identify
from palier.stack.programs import on_path
from palier.stack.web_cache import STATUS_PATH, WebCache, find_nginx, start_web_cache
from palier.stack.workspace import Workspace

needs_nginx = pytest.mark.skipif(
    on_path("nginx", os.environ) is None, reason="needs the package nginx"
)


class Origin(ThreadingHTTPServer):
    """Answers every request with what it saw of it, and counts."""

    daemon_threads = True
    requests = 0


class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Origin

    def answer(self) -> None:
        self.server.requests += 1
        length = int(self.headers.get("Content-Length") or 0)
        seen = {
            "method": self.command,
            "body": self.rfile.read(length).decode(),
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "number": self.server.requests,
        }
        body = json.dumps(seen).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        for word, value in (
            ("public", "public, max-age=60"),
            ("private", "private, max-age=60"),
            ("bare", "max-age=60"),
        ):
            if self.path.startswith(f"/{word}"):
                self.send_header("Cache-Control", value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the test's output is for failures."""


@contextmanager
def served() -> Iterator[Origin]:
    with Origin(("127.0.0.1", 0), Echo) as origin:
        thread = threading.Thread(target=origin.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield origin
        finally:
            origin.shutdown()
            thread.join()


@pytest.fixture
def workspace(stacks_home):
    with Workspace.create(purpose="test", home=stacks_home) as workspace:
        yield workspace


@pytest.fixture
def origin(workspace) -> Iterator[Origin]:
    with served() as origin:
        yield origin
        workspace.end_processes()


@pytest.fixture
def cache(workspace, origin) -> WebCache:
    cache = start_web_cache(
        workspace, find_nginx(), app_url=f"http://127.0.0.1:{origin.server_address[1]}"
    )
    origin.requests = 0
    return cache


def ask(
    cache: WebCache,
    path: str,
    *,
    method: str = "GET",
    body: str | None = None,
    **headers: str,
) -> tuple[dict, dict[str, str]]:
    """What the origin saw, and the headers of the answer."""
    connection = http.client.HTTPConnection(urlsplit(cache.url).netloc, timeout=10)
    try:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body=body and body.encode(), headers=names)
        answer = connection.getresponse()
        return json.loads(answer.read()), {k.lower(): v for k, v in answer.getheaders()}
    finally:
        connection.close()


@needs_nginx
def test_what_is_public_and_has_a_lifetime_is_fetched_once(cache, origin):
    first, headers = ask(cache, "/public/sheet")
    assert headers["x-cache"] == "MISS"

    again, headers = ask(cache, "/public/sheet")

    assert headers["x-cache"] == "HIT"
    assert again == first
    assert origin.requests == 1
    assert ask(cache, "/public/other")[0]["number"] == 2


@needs_nginx
@pytest.mark.parametrize("path", ["/private/list", "/bare/list", "/none"])
def test_what_does_not_say_that_it_is_public_is_fetched_each_time(cache, path):
    assert [ask(cache, path)[0]["number"] for _ in range(3)] == [1, 2, 3]


@needs_nginx
@pytest.mark.parametrize("header", [{"Authorization": "Bearer me"}, {"Cookie": "session=me"}])
def test_an_answer_to_somebody_is_neither_kept_nor_taken_from_what_is_kept(cache, header):
    anonymous, _ = ask(cache, "/public/sheet")

    mine, headers = ask(cache, "/public/sheet", **header)
    assert mine["number"] == 2
    assert "x-cache" not in headers
    ask(cache, "/public/mine", **header)

    assert ask(cache, "/public/mine")[0]["number"] == 4
    assert ask(cache, "/public/sheet")[0] == anonymous


@needs_nginx
def test_changes_go_through_with_their_body(cache):
    for method in ("POST", "PATCH", "DELETE"):
        seen, _ = ask(cache, "/public/sheet", method=method, body='{"nom": "Zoé"}')
        assert (seen["method"], seen["body"]) == (method, '{"nom": "Zoé"}')


@needs_nginx
def test_conditions_of_somebody_reach_the_application(cache):
    seen, _ = ask(cache, "/units", Authorization="Bearer me", If_None_Match='"a"', If_Match='"b"')

    assert seen["headers"]["if-none-match"] == '"a"'
    assert seen["headers"]["if-match"] == '"b"'
    assert seen["headers"]["host"] == urlsplit(cache.url).netloc
    assert seen["headers"]["x-forwarded-for"] == "127.0.0.1"


@needs_nginx
def test_connections_to_the_application_are_kept_open(cache, origin):
    port = origin.server_address[1]
    for _ in range(20):
        ask(cache, "/none")

    opened = {
        connection.raddr.port
        for connection in psutil.Process().net_connections(kind="tcp")
        if connection.laddr.port == port and connection.raddr
    }
    # One each process of nginx that took part, not one a request.
    assert 1 <= len(opened) <= int(dict(cache.settings)["worker_processes"])


@needs_nginx
def test_its_counters_are_there(cache):
    ask(cache, "/none")
    connection = http.client.HTTPConnection(urlsplit(cache.url).netloc, timeout=10)
    connection.request("GET", STATUS_PATH)
    text = connection.getresponse().read().decode()
    connection.close()

    assert "Active connections" in text


@needs_nginx
def test_it_runs_without_root_in_its_own_folder_and_is_gone_afterwards(workspace, cache):
    processes = [identify(pid) for pid in cache.process.pids()]
    assert len(processes) > 1
    assert {psutil.Process(process.pid).uids().real for process in processes} - {0}
    assert (workspace.folder / "web_cache" / "nginx.pid").exists()

    workspace.end_processes()

    assert not any(process.alive() for process in processes)


def test_without_it_the_error_names_the_package(monkeypatch):
    monkeypatch.setattr(programs, "SBIN", ())

    with pytest.raises(StackError, match="nginx is not on this machine") as caught:
        find_nginx({"PATH": ""})

    assert "apt install nginx" in caught.value.fix
    assert "--set web_cache=false" in caught.value.fix


@needs_nginx
def test_an_application_that_does_not_answer_behind_it_is_an_error_that_says_so(
    workspace, monkeypatch
):
    monkeypatch.setattr("palier.stack.web_cache.START_DEADLINE_S", 2.0)

    with pytest.raises(StackError, match="GET /health/live answered 502"):
        start_web_cache(workspace, find_nginx(), app_url="http://127.0.0.1:1")
