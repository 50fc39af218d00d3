"""The lean client against a server that does anything a server can do to an answer."""

from __future__ import annotations

import errno
import gc
import gzip
import os
import resource
import socket
import ssl
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gevent
import gevent.ssl
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from palier.errors import ConfigError
from palier.stack.ports import free_port
from scenarios.client import opening
from scenarios.client.answer import BODY_LIMIT, Answer
from scenarios.client.client import Client
from scenarios.client.cookies import Cookies
from scenarios.client.reader import HEAD_LIMIT
from scenarios.operation import Failed, GeneratorError, ScenarioError, TimedOut

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from wire import Peer, Wire

LIMIT_S = 0.25
LONG_S = 20.0

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@contextmanager
def client_of(wire: Wire | str, timeout_s: float = LONG_S, **options: Any) -> Iterator[Client]:
    url = wire if isinstance(wire, str) else wire.url
    client = Client(url, timeout_s=timeout_s, **options)
    try:
        yield client
    finally:
        client.close()


def ask(
    client: Client,
    method: str = "GET",
    path: str = "/",
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    cookies: Cookies | None = None,
) -> Answer:
    request = client.prepare(method, path, headers=headers, body=body, cookies=cookies)
    return client.send(method, path, request, time.monotonic_ns())


def answered(*parts: bytes, method: str = "GET", end: bool = False) -> Answer:
    """The answer to one request that these bytes make."""

    def behave(peer: Peer) -> None:
        peer.answer(*parts)
        if not end:
            peer.wait_for_end()

    with Wire(behave) as wire, client_of(wire) as client:
        return ask(client, method)


def always(*parts: bytes) -> Callable[[Peer], None]:
    def behave(peer: Peer) -> None:
        while True:
            peer.answer(*parts)

    return behave


# what a whole answer is ---------------------------------------------------------------------


def test_an_answer_has_status_headers_in_any_case_and_body() -> None:
    answer = answered(
        b"HTTP/1.1 201 Created\r\nX-Request-ID: r-1\r\nVary: a\r\nVARY: b\r\n"
        b"Content-Length: 8\r\n\r\n",
        b'{"a": 1}',
    )

    assert (answer.status, answer.json()) == (201, {"a": 1})
    assert answer.headers["x-request-id"] == answer.headers["X-Request-Id"] == "r-1"
    assert answer.headers["vary"] == "a, b"
    assert answer.header(b"x-request-id") == b"r-1"
    assert answer.header(b"no-such") is None


def test_an_answer_may_come_byte_by_byte() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    whole = head + b"3\r\nabc\r\nb\r\ndefghijklmn\r\n0\r\n\r\n"

    assert answered(*(whole[at : at + 1] for at in range(len(whole)))).body == b"abcdefghijklmn"


def test_a_chunked_answer_may_have_trailers() -> None:
    answer = answered(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n"
    )
    assert answer.body == b"ok"


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    assert answered(b"HTTP/1.1 200 OK\r\n\r\nall ", b"of it", end=True).body == b"all of it"


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_an_answer_that_never_has_a_body_ends_with_its_head(status: bytes) -> None:
    with Wire(always(b"HTTP/1.1 " + status + b"\r\nETag: x\r\n\r\n")) as wire:
        with client_of(wire) as client:
            assert [ask(client).status for _ in range(3)] == [int(status[:3])] * 3
        assert wire.connections == 1


def test_the_answer_to_head_has_the_length_of_a_body_and_none() -> None:
    answer = answered(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", method="HEAD")

    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-length"] == "1000"


def test_what_comes_before_an_answer_is_not_the_answer() -> None:
    early = b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    joined = answered(b"".join(early) + OK)
    apart = answered(*early, OK)

    for answer in (joined, apart):
        assert (answer.status, answer.body) == (200, b"ok")
        assert "link" not in answer.headers


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    with Wire(always(b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n")) as wire:
        with client_of(wire) as client:
            answer = ask(client)
        assert (answer.status, answer.headers["location"]) == (302, "/b")
        assert len(wire.requests) == 1


def test_an_upgrade_nobody_asked_for_is_an_answer_too() -> None:
    answer = answered(b"HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")
    assert answer.status == 101


# compressed bodies --------------------------------------------------------------------------


def packed(coding: bytes, body: bytes) -> Answer:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: %b\r\nContent-Length: %d\r\n\r\n"
    return answered(head % (coding, len(body)) + body)


def test_compressed_bodies_are_undone_when_asked_for() -> None:
    plain = b'{"some": "thing"}'
    bare = zlib.compressobj(wbits=-15)

    for coding, body in {
        b"gzip": gzip.compress(plain),
        b"Deflate": zlib.compress(plain),
        b"deflate": bare.compress(plain) + bare.flush(),
        b"deflate, gzip": gzip.compress(zlib.compress(plain)),
        b"identity": plain,
    }.items():
        answer = packed(coding, body)
        assert (answer.raw, answer.body) == (body, plain)


def test_a_body_that_cannot_be_decompressed_is_a_failure() -> None:
    whole = gzip.compress(b"x" * 1000)

    for coding, body, told in (
        (b"gzip", b"no gzip", "cannot be decompressed"),
        (b"gzip", whole[:-4], "ends too early"),
        (b"br", b"x", "compressed as br, which was not asked for"),
        (b"gzip", gzip.compress(bytes(BODY_LIMIT + 1), 1), "larger than 64 MiB"),
    ):
        with pytest.raises(Failed, match=told):
            _ = packed(coding, body).body


# no answer, or not a whole one --------------------------------------------------------------


def failure(*parts: bytes, end: bool = True, method: str = "GET") -> str:
    with pytest.raises(Failed) as failed:
        answered(*parts, end=end, method=method)
    assert type(failed.value) is Failed
    return str(failed.value)


def test_an_answer_that_is_cut_off_is_no_whole_answer_and_says_where() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"

    assert failure() == "no whole answer: the connection was closed before it"
    assert failure(head[:20]) == "no whole answer: the connection was closed within its head"
    assert failure(head + b"half") == "no whole answer: the connection was closed within its body"
    assert failure(chunked) == "no whole answer: the connection was closed within its body"


def test_an_answer_longer_than_it_says_is_a_failure() -> None:
    assert "its length is wrong" in failure(OK + b" and more", end=False)
    assert "its length is wrong" in failure(OK + OK, end=False)
    assert "a body where none may be" in failure(OK, end=False, method="HEAD")


def test_what_is_not_http_is_a_failure() -> None:
    assert "it is not HTTP" in failure(b"SSH-2.0-OpenSSH\r\n")
    assert "it is not HTTP" in failure(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n")


def test_answers_have_a_largest_size() -> None:
    head = b"HTTP/1.1 200 OK\r\n"
    line = b"X-Filler: " + b"x" * 1000 + b"\r\n"
    large = [bytes(1 << 20)] * (2 + (BODY_LIMIT >> 20))

    assert "head of the answer is larger than 64 KiB" in failure(
        head, *([line] * (2 + HEAD_LIMIT // len(line))), end=False
    )
    assert "the body is larger than 64 MiB" in failure(head + b"\r\n", *large, end=False)


def test_a_reset_is_a_failure_with_its_name() -> None:
    def behave(peer: Peer) -> None:
        peer.request()
        peer.reset()

    with Wire(behave) as wire, client_of(wire) as client:
        with pytest.raises(Failed, match="no whole answer: ConnectionResetError"):
            ask(client)
        assert len(wire.requests) == 1


def test_a_refused_connection_is_a_failure_with_its_name() -> None:
    refused = pytest.raises(Failed, match="no connection: ConnectionRefusedError")
    with client_of(f"http://127.0.0.1:{free_port()}") as client, refused:
        ask(client)


def test_an_early_answer_counts_though_the_request_was_not_read() -> None:
    """A server may refuse a large body before it has come, and hang up."""

    def behave(peer: Peer) -> None:
        peer.connection.recv(1000)
        peer.send(b"HTTP/1.1 413 X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        peer.connection.shutdown(socket.SHUT_WR)
        peer.wait_for_end()

    with Wire(behave) as wire, client_of(wire) as client:
        assert ask(client, "POST", body=bytes(20 << 20)).status == 413


# time ---------------------------------------------------------------------------------------


def timed_out(behave: Callable[[Peer], object], **request: Any) -> str:
    with Wire(behave) as wire, client_of(wire, LIMIT_S) as client:
        began = time.monotonic()
        with pytest.raises(TimedOut) as failed:
            ask(client, **request)
        assert time.monotonic() - began >= LIMIT_S
        # The connection goes with it: its answer may still come.
        wire.wait_until(lambda wire: wire.ended == 1)
    return str(failed.value)


def test_a_request_that_takes_too_long_says_what_it_was_waiting_for() -> None:
    def half(peer: Peer) -> None:
        peer.answer(OK[:-1])
        peer.wait_for_end()

    go_on = threading.Event()

    def deaf(_peer: Peer) -> None:
        go_on.wait(LONG_S)

    assert timed_out(lambda peer: peer.wait_for_end()) == "no answer in 0.25 s"
    assert timed_out(half) == "no whole answer in 0.25 s"
    with Wire(deaf) as wire, client_of(wire, LIMIT_S) as client:
        with pytest.raises(TimedOut, match=r"^the request could not be sent in 0\.25 s$"):
            ask(client, "POST", body=bytes(20 << 20))
        go_on.set()


class Addresses:
    """A resolver that knows one host."""

    def __init__(self, *addresses: tuple[str, int]) -> None:
        self._addresses = addresses

    def getaddrinfo(self, *_: Any) -> list[tuple[Any, ...]]:
        return [
            (
                socket.AF_INET6 if ":" in host else socket.AF_INET,
                *(socket.SOCK_STREAM, socket.IPPROTO_TCP, ""),
                (host, port, 0, 0) if ":" in host else (host, port),
            )
            for host, port in self._addresses
        ]


def open_descriptors() -> int:
    """0 where the system does not tell."""
    return len(list(Path("/proc/self/fd").iterdir())) if sys.platform == "linux" else 0


def unreachable(monkeypatch: pytest.MonkeyPatch, *addresses: tuple[str, int]) -> str:
    """What is told of a host of these addresses that cannot be reached."""
    monkeypatch.setattr(gevent.get_hub(), "resolver", Addresses(*addresses))
    before = open_descriptors()
    with client_of("http://two.example:80", LIMIT_S) as client:
        with pytest.raises((Failed, TimedOut)) as told:
            ask(client)
        assert open_descriptors() == before
    return str(told.value)


def test_a_host_with_several_addresses_is_reached_at_the_first_that_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Wire(always(OK)) as wire, client_of("http://two.example:80") as client:
        port = urlsplit(wire.url).port
        assert port is not None
        addresses = Addresses(("127.0.0.1", free_port()), ("127.0.0.1", port))
        monkeypatch.setattr(gevent.get_hub(), "resolver", addresses)
        assert ask(client).status == 200


def test_the_first_address_of_a_host_says_why_it_cannot_be_reached(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Nobody listens to the first; the second never answers, as the queue of who listens is full.
    with socket.socket() as listener, ExitStack() as waiting:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        refuses, silent = ("127.0.0.1", free_port()), listener.getsockname()
        with monkeypatch.context() as patch:
            assert unreachable(patch, refuses).startswith("no connection: ConnectionRefusedError")
        if sys.platform == "linux":
            with monkeypatch.context() as patch:
                assert unreachable(patch, silent, refuses) == "no connection in 0.25 s"


@pytest.mark.parametrize("comes_first", [True, False])
def test_an_address_to_which_this_machine_has_no_way_says_nothing_of_the_service(
    monkeypatch: pytest.MonkeyPatch, comes_first: bool
) -> None:
    connected = opening._connected

    def on_a_machine_without_ipv6(entry: Any, timeout_s: float) -> Any:
        if entry[0] == socket.AF_INET6:
            raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
        return connected(entry, timeout_s)

    monkeypatch.setattr(opening, "_connected", on_a_machine_without_ipv6)
    no_way, refuses = ("::1", free_port()), ("127.0.0.1", free_port())
    addresses = (no_way, refuses) if comes_first else (refuses, no_way)
    assert unreachable(monkeypatch, *addresses).startswith("no connection: ConnectionRefusedError")


@pytest.mark.skipif(sys.platform != "linux", reason="others refuse when the queue is full")
def test_opening_a_connection_has_a_limit_of_its_own() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = []
        for _ in range(3):  # more than the queue of those that nobody accepts
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(address)
            waiting.append(one)
        url = f"http://127.0.0.1:{address[1]}"
        with (
            client_of(url, connect_timeout_s=LIMIT_S) as client,
            pytest.raises(TimedOut, match=r"^no connection in 0\.25 s$"),
        ):
            ask(client)
        for one in waiting:
            one.close()


def test_each_of_many_requests_has_its_own_deadline() -> None:
    """They begin one after the other; each ends after the limit, neither sooner nor together."""
    with Wire(lambda peer: peer.wait_for_end()) as wire, client_of(wire, LIMIT_S) as client:
        took: list[float] = []

        def one() -> None:
            began = time.monotonic()
            with pytest.raises(TimedOut):
                ask(client)
            took.append(time.monotonic() - began)

        started = []
        for _ in range(5):
            started.append(gevent.spawn(one))
            gevent.sleep(LIMIT_S / 5)
        gevent.joinall(started, raise_error=True)
    assert len(took) == 5
    assert min(took) >= LIMIT_S


@pytest.mark.skipif(sys.platform != "linux", reason="only there the kernel says when bytes came")
def test_an_answer_came_when_it_came_and_not_when_a_busy_loop_read_it() -> None:
    """And it is not called too late, though the limit has passed before it is read."""
    limit_s = 4 * LIMIT_S  # the answer itself has to come within it, on a busy machine, too
    sent_ns: list[int] = []
    is_sent = threading.Event()

    def behave(peer: Peer) -> None:
        peer.answer(OK)
        peer.answer(OK)
        sent_ns.append(time.monotonic_ns())
        is_sent.set()
        peer.wait_for_end()

    def hold_up_the_loop() -> None:
        assert is_sent.wait(LONG_S)
        while time.monotonic_ns() < sent_ns[0] + 2 * limit_s * 1e9:
            pass

    with Wire(behave) as wire, client_of(wire, limit_s) as client:
        ask(client)
        asked = gevent.spawn(ask, client)
        gevent.spawn(hold_up_the_loop)
        answer = asked.get()
        read_ns = time.monotonic_ns()

    assert answer.body == b"ok"
    assert read_ns - answer.came_ns >= limit_s * 1e9
    assert answer.came_ns <= sent_ns[0]


def test_a_request_that_is_killed_closes_its_connection() -> None:
    arrived = threading.Event()

    def behave(peer: Peer) -> None:
        peer.request()
        arrived.set()
        peer.wait_for_end()

    with Wire(behave) as wire, client_of(wire) as client:
        asked = gevent.spawn(ask, client)
        while not arrived.is_set():
            gevent.sleep(0.005)
        asked.kill()
        wire.wait_until(lambda wire: wire.ended == 1)


# connections --------------------------------------------------------------------------------


def test_a_connection_is_used_again_and_no_more_are_opened_than_are_in_use_at_once() -> None:
    with Wire(always(OK)) as wire:
        with client_of(wire) as client:
            for _ in range(3):
                ask(client)
            assert wire.connections == 1
            gevent.joinall([gevent.spawn(ask, client) for _ in range(4)], raise_error=True)
            for _ in range(20):
                ask(client)
        assert wire.connections <= 4
        assert len(wire.requests) == 27


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ],
)
def test_a_connection_that_the_server_will_close_is_not_used_again(answer: bytes) -> None:
    with Wire(always(answer)) as wire:
        with client_of(wire) as client:
            assert [ask(client).body for _ in range(3)] == [b"ok"] * 3
        assert wire.connections == 3


def test_a_connection_that_was_closed_while_idle_is_replaced_and_nothing_is_sent_twice() -> None:
    with Wire(lambda peer: peer.answer(OK)) as wire, client_of(wire) as client:
        for times in range(1, 4):
            assert ask(client).body == b"ok"
            wire.wait_until(lambda wire, times=times: wire.ended == times)  # type: ignore[misc]
        assert len(wire.requests) == 3


def test_a_request_that_a_closing_server_swallows_is_not_sent_again() -> None:
    def behave(peer: Peer) -> None:
        peer.answer(OK)
        peer.request()

    with Wire(behave) as wire, client_of(wire) as client:
        ask(client)
        with pytest.raises(Failed, match="the connection was closed before it"):
            ask(client, path="/second")
        assert len(wire.requests) == 2
        assert wire.connections == 1


def test_bytes_that_nobody_asked_for_make_an_idle_connection_useless() -> None:
    go_on = threading.Event()
    told = threading.Event()

    def behave(peer: Peer) -> None:
        peer.answer(OK)
        if wire.connections == 1:
            assert go_on.wait(LONG_S)
            peer.send(b"HTTP/1.1 408 Too Late\r\nContent-Length: 0\r\n\r\n")
            told.set()
        peer.wait_for_end()

    with Wire(behave) as wire, client_of(wire) as client:
        ask(client)
        go_on.set()
        assert told.wait(LONG_S)
        gevent.sleep(0.01)  # the loop sees them, too, and must not turn in circles over it
        assert ask(client).status == 200
        assert wire.connections == 2


def test_connections_are_kept_beyond_descriptor_1023() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2000:
        pytest.skip("not allowed to open as many files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2000), hard))
    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        with Wire(always(OK)) as wire:
            with client_of(wire) as client:
                for _ in range(3):
                    ask(client)
            assert wire.connections == 1
    finally:
        for descriptor in held:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_machine_without_free_files_blames_itself() -> None:
    with Wire(always(OK)) as wire, client_of(wire) as client:
        gevent.sleep(0)  # the loop has its own descriptors by now
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        lowest = os.dup(0)
        os.close(lowest)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
        try:
            with pytest.raises(GeneratorError, match="Too many open files: raise the limit"):
                ask(client)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_failures_leave_nothing_to_the_collector() -> None:
    """It is off while a loader runs."""
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"

    def behave(peer: Peer) -> None:
        kind = peer.request().split(b" ")[1]
        if kind == b"/reset":
            peer.reset()
        elif kind == b"/wait":
            peer.wait_for_end()
        else:
            peer.send({b"/cut": cut, b"/junk": b"junk\r\n"}.get(kind, b""))

    with Wire(behave) as wire, client_of(wire, 0.05) as client:

        def fail_in_every_way() -> None:
            for path in ("/cut", "/junk", "/reset", "/close", "/wait"):
                with pytest.raises(Failed):
                    ask(client, path=path)

        fail_in_every_way()
        gc.collect()
        gc.disable()
        try:
            for _ in range(5):
                for path in ("/cut", "/junk", "/reset", "/close", "/wait"):
                    try:
                        ask(client, path=path)
                    except Failed:
                        continue
            gc.set_debug(gc.DEBUG_SAVEALL)
            gc.collect()
            left = [one for one in gc.garbage if type(one).__module__.startswith("scenarios")]
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
            gc.enable()
    assert left == []


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


# https --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate that nobody has signed but itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(tz=UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    where = tmp_path_factory.mktemp("tls")
    pem = where / "cert.pem", where / "key.pem"
    pem[0].write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    pem[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return pem


def of_server(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


def test_https_connections_are_kept_like_others(certificate: tuple[Path, Path]) -> None:
    trusting = gevent.ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.load_verify_locations(str(certificate[0]))
    for options in ({"verify": False}, {"context": trusting}):
        with Wire(always(OK), context=of_server(certificate)) as wire:
            with client_of(wire, **options) as client:
                assert [ask(client).body for _ in range(4)] == [b"ok"] * 4
            assert wire.connections <= 2  # tickets that come late may cost one connection
            assert len(wire.requests) == 4


def test_a_certificate_that_nobody_trusts_is_refused_when_it_shall_be(
    certificate: tuple[Path, Path],
) -> None:
    with (
        Wire(always(OK), context=of_server(certificate)) as wire,
        client_of(wire) as client,
        pytest.raises(Failed, match="no connection: SSLCertVerificationError"),
    ):
        ask(client)
    assert wire.requests == []


def test_https_fails_and_times_out_like_others(certificate: tuple[Path, Path]) -> None:
    def behave(peer: Peer) -> None:
        if peer.request().startswith(b"GET /cut "):
            peer.send(OK[:-1])
        else:
            peer.wait_for_end()

    with (
        Wire(behave, context=of_server(certificate)) as wire,
        client_of(wire, 2 * LIMIT_S, verify=False) as client,
    ):
        with pytest.raises(Failed, match="no whole answer"):
            ask(client, path="/cut")
        with pytest.raises(TimedOut, match="no answer in"):
            ask(client, path="/wait")
