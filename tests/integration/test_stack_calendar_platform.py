"""The booking platforms' server: what it answers, counts and refuses."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from sync_support import AIRBNB, DEADLINE_S, Platform, Stay, feed, platform, process

from palier.stack.calendar_platform.feeds import FIRST_DAY


@pytest.fixture(scope="module")
def outside() -> Iterator[Platform]:
    with platform() as running:
        yield running


def raw(outside: Platform, request: bytes) -> bytes:
    """The whole answer to bytes that no client would send."""
    address = urlsplit(outside.url)
    with socket.create_connection((address.hostname, address.port), timeout=DEADLINE_S) as peer:
        peer.sendall(request)
        peer.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: peer.recv(65_536), b""))


def test_it_answers_as_a_proxy_and_by_the_host_header_alike(outside: Platform) -> None:
    address = f"http://{AIRBNB}/both.ics"
    with httpx.Client(proxy=outside.url, trust_env=False) as client:
        proxied = client.get(address)
    direct = outside.client.get("/both.ics", headers={"Host": AIRBNB})

    assert proxied.status_code == direct.status_code == 200
    assert proxied.content == direct.content
    assert outside.asked(address) == 2


def test_any_other_host_is_nobody_and_is_counted(outside: Platform) -> None:
    with httpx.Client(proxy=outside.url, trust_env=False) as client:
        assert client.get("http://169.254.169.254/latest").status_code == 502
        with pytest.raises(httpx.ProxyError):
            client.get(f"https://{AIRBNB}/1.ics")

    assert outside.strangers() == {"169.254.169.254": 1, AIRBNB: 1}


def test_a_feed_can_be_set_and_taken_back(outside: Platform) -> None:
    address = f"http://{AIRBNB}/set.ics"
    with httpx.Client(proxy=outside.url, trust_env=False) as client:
        own = client.get(address).text
        stay = Stay("1", FIRST_DAY, FIRST_DAY.replace(year=FIRST_DAY.year + 1))
        outside.set_feed(address, stay)
        assert client.get(address).text == feed(stay)
        outside.client.delete(f"/feeds/{AIRBNB}/set.ics")
        assert client.get(address).text == own


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"PUT /feeds/x HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
        b"GET / HT",
    ],
)
def test_what_is_no_request_is_400(outside: Platform, request_bytes: bytes) -> None:
    assert raw(outside, request_bytes).startswith(b"HTTP/1.1 400 ")
    assert outside.client.get("/health").status_code == 200


def test_a_client_that_leaves_in_the_middle_disturbs_nobody(outside: Platform) -> None:
    assert raw(outside, b"PUT /feeds/x HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc") == b""
    assert raw(outside, b"") == b""
    assert outside.client.get("/nothing").status_code == 404


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_told_to_also_while_somebody_waits(number: int) -> None:
    module = "palier.stack.calendar_platform"
    with process(module, "--port", "0") as running:
        running.wait_until_it_says("calendar platform ready")
        url = running.said().split("ready: ")[1].split()[0]
        address = urlsplit(url)
        with socket.create_connection((address.hostname, address.port)) as peer:
            peer.sendall(f"GET http://{AIRBNB}/hold/x/1.ics HTTP/1.1\r\n\r\n".encode())
            with httpx.Client(base_url=url, trust_env=False) as client:
                Platform(url, client).wait_until_held("x")
            assert running.end(number) == 0
        assert "Traceback" not in running.said()


def test_a_port_that_is_taken_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with process("palier.stack.calendar_platform", "--port", port) as running:
            assert running.popen.wait(DEADLINE_S) == 5
            assert f"cannot listen on 127.0.0.1:{port}" in running.said()
