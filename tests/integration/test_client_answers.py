"""What the lean client makes of anything that a server can do to an answer."""

from __future__ import annotations

import gzip
import socket
import sys
import zlib
from pathlib import Path

import pytest

from palier.stack.ports import free_port
from scenarios.client.answer import BODY_LIMIT, Answer
from scenarios.client.reader import HEAD_LIMIT
from scenarios.operation import Failed

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

from asking import OK, always, answered, ask, client_of
from wire import Peer, Wire

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
