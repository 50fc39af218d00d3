"""The server with a known law: its log is what its clients saw, and what its law says."""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from palier.selftest.answer_log import read_log


class KnownServer:
    """A running server and its log."""

    def __init__(self, process: subprocess.Popen[str], log_path: Path) -> None:
        assert process.stdout is not None
        self.process = process
        self.port = int(process.stdout.readline())
        self._log_path = log_path
        self._connections: list[http.client.HTTPConnection] = []

    def connection(self, timeout_s: float = 30) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        self._connections.append(connection)
        return connection

    def close(self) -> None:
        for connection in self._connections:
            connection.close()

    def end(self) -> NDArray[np.void]:
        """End it as a user would, and read its log."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=30) == 0
        return read_log(self._log_path)


@contextmanager
def known_server(log_path: Path, *flags: str) -> Iterator[KnownServer]:
    process = subprocess.Popen(
        [sys.executable, "-m", "palier.selftest.server", "--log", str(log_path), *flags],
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        server = KnownServer(process, log_path)
        try:
            yield server
        finally:
            server.close()
            process.kill()


def ask(connection: http.client.HTTPConnection, path: str) -> tuple[int, bytes]:
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read()


def answers(connection: http.client.HTTPConnection, path: str) -> bool:
    """False when no answer comes while the connection waits."""
    try:
        return ask(connection, path)[0] == 200
    except TimeoutError:
        return False


@pytest.mark.parametrize("suffix", [".npy", ".csv"])
def test_each_request_is_in_the_log_once_between_its_sending_and_its_answer(
    tmp_path: Path, suffix: str
) -> None:
    with known_server(tmp_path / f"log{suffix}", "--law", "exponential:2ms") as server:
        connection = server.connection()
        times = []
        for session in range(20):
            sent_ns = time.monotonic_ns()
            assert ask(connection, f"/any/session/{session}") == (200, b'{"ok":true}')
            times.append((sent_ns, time.monotonic_ns()))
        rows = server.end()

    assert list(rows["session"]) == list(range(20))
    for row, (sent_ns, ended_ns) in zip(rows, times, strict=True):
        assert sent_ns <= row["received_ns"] <= row["due_ns"] <= row["answered_ns"] <= ended_ns


def test_the_log_can_be_asked_for_while_it_serves(tmp_path: Path) -> None:
    with known_server(tmp_path / "log.npy") as server:
        connection = server.connection()
        ask(connection, "/no/number")
        ask(connection, "/session/4")
        assert ask(connection, "/log")[0] == 200
        assert list(read_log(tmp_path / "log.npy")["session"]) == [-1, 4]


def test_one_server_serves_one_after_the_other(tmp_path: Path) -> None:
    flags = ("--law", "constant:20ms", "--servers", "1")
    with known_server(tmp_path / "log.npy", *flags) as server:
        connections = [server.connection() for _ in range(5)]
        for connection in connections:
            connection.request("GET", "/session/1")
        for connection in connections:
            assert connection.getresponse().status == 200
        rows = server.end()

    assert np.all(np.diff(rows["due_ns"]) >= 20_000_000)


def test_what_arrives_in_a_freeze_is_read_at_its_end(tmp_path: Path) -> None:
    """The freeze lies from 0.1 to 0.4 s after the first request, to the timer's precision."""
    with known_server(tmp_path / "log.npy", "--freeze", "300ms/500ms") as server:
        connections = [server.connection() for _ in range(20)]
        for connection in connections:
            connection.connect()
        sent_ns = []
        for connection in connections:
            sent_ns.append(time.monotonic_ns())
            connection.request("GET", "/session/1")
            time.sleep(0.02)  # the arrivals of an open load, not a wait for anything
        for connection in connections:
            assert connection.getresponse().status == 200
        rows = server.end()

    first_ns = rows["received_ns"][0]
    read_s = (rows["received_ns"] - first_ns) / 1e9
    assert not np.any((read_s > 0.11) & (read_s < 0.39))


def test_a_server_that_stops_for_good_keeps_its_log_and_ends_when_told(tmp_path: Path) -> None:
    with known_server(tmp_path / "log.npy", "--stop-answering-at", "50ms") as server:
        connection = server.connection(timeout_s=1)
        answered = 0
        while answers(connection, f"/session/{answered}"):
            answered += 1
        rows = server.end()

    assert answered > 0
    assert list(rows["session"]) == list(range(answered))


def test_what_is_no_http_ends_the_connection_and_nothing_else(tmp_path: Path) -> None:
    with known_server(tmp_path / "log.npy") as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as raw:
            raw.sendall(b"nonsense\r\n\r\n")
            assert raw.recv(100) == b""
        assert ask(server.connection(), "/session/1")[0] == 200
