"""What the lean client sends: requests and cookies."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from palier.errors import ConfigError
from scenarios.client.client import Client
from scenarios.client.cookies import Cookies
from scenarios.operation import ScenarioError

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from asking import OK, always, ask, client_of
from wire import Wire

# requests -----------------------------------------------------------------------------------


def test_a_request_has_what_a_server_needs_and_what_the_scenario_says() -> None:
    with Wire(always(OK)) as wire:
        with client_of(wire.url + "/base/", headers={"X-Tenant": "7"}) as client:
            ask(client, path="/a?b=1")
            ask(client, "POST", "/c", body=b"{}", headers={"accept": "text/csv", "X-Tenant": "8"})
            ask(client, "POST", "/d")
        port = wire.url.rpartition(":")[2]
    first, second, third = (one.decode().split("\r\n") for one in wire.requests)

    assert first == [
        "GET /base/a?b=1 HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "User-Agent: palier",
        "Accept: application/json",
        "Accept-Encoding: gzip, deflate",
        "X-Tenant: 7",
        "",
        "",
    ]
    assert second[0] == "POST /base/c HTTP/1.1"
    assert {"accept: text/csv", "X-Tenant: 8", "Content-Length: 2"} < set(second)
    assert "Content-Type: application/json" in second
    assert not {"Accept: application/json", "X-Tenant: 7"} & set(second)
    assert "Content-Length: 0" in third
    assert not any(line.startswith("Content-Type") for line in third)


def test_a_large_body_arrives_whole() -> None:
    body = os.urandom(8 << 20)
    with Wire(always(OK)) as wire:
        with client_of(wire) as client:
            assert ask(client, "PUT", body=body).body == b"ok"
        assert wire.requests[0].partition(b"\r\n\r\n")[2] == body


def test_what_would_be_no_request_is_refused_before_it_is_sent() -> None:
    with client_of("http://127.0.0.1:9") as client:
        for method, path, headers in (
            ("GET", "no-slash", {}),
            ("GET", "/a b", {}),
            ("GET", "/é", {}),
            ("GET", "/a\r\nX: y", {}),
            ("GET /", "/", {}),
            ("CONNECT", "/", {}),
            ("GET", "/", {"X": "a\r\nY: b"}),
        ):
            with pytest.raises(ScenarioError):
                client.prepare(method, path, headers=headers)


def test_an_address_names_host_port_base_and_perhaps_who_asks() -> None:
    with client_of("http://me:pa%3Ass@[::1]:81/base/") as client:
        request = client.prepare("GET", "/x").decode().split("\r\n")
        assert client.url == "http://[::1]:81/base"
    assert request[0] == "GET /base/x HTTP/1.1"
    assert "Host: [::1]:81" in request
    assert "Authorization: Basic bWU6cGE6c3M=" in request
    for wrong in ("ftp://x", "127.0.0.1:8000", "http://", "http://x:port"):
        with pytest.raises(ConfigError, match="no address of a web service"):
            Client(wrong, timeout_s=1)


# cookies ------------------------------------------------------------------------------------


def test_cookies_come_back_to_where_they_belong_until_they_end() -> None:
    with client_of("http://shop.example/base") as client:
        cookies = Cookies(client.origin)
        assert not cookies
        head = (
            "HTTP/1.1 200 OK\r\nSet-Cookie: sid=1; Path=/; HttpOnly\r\nset-cookie: deep=2\r\n"
            "Set-Cookie: safe=3; Secure; Path=/\r\nSet-Cookie: other=4; Domain=else.example\r\n"
            "Set-Cookie: old=5; Expires=Wed, 09 Jun 2021 10:18:14 GMT\r\nSet-Cookie: odd\r\n"
            "Set-Cookie: wide=6; Domain=.example; Path=/; Max-Age=60\r\n"
        )
        cookies.take(head.encode(), "/app/login?x=/y")
        assert cookies.header("/app/page") == "deep=2; sid=1; wide=6"
        assert cookies.header("/application") == "sid=1; wide=6"
        cookies.take(b"HTTP/1.1 200 OK\r\nSet-Cookie: sid=; Max-Age=0; Path=/\r\n", "/")
        assert cookies.header("/") == "wide=6"
        lines = client.prepare("GET", "/app/", cookies=cookies).decode().split("\r\n")
        assert "Cookie: deep=2; wide=6" in lines
        cookies.clear()
        assert not cookies
