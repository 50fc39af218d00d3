"""What one request costs the load generator: ours against Locust's own users.

    python benchmarks/client_cost.py                  the table, and the bar "Cost"
    python benchmarks/client_cost.py --seconds 5 --rounds 5

Fifty users in a closed loop ask a server for a small JSON page, check status and length of the
answer, and ask again. Every contender is a Locust user in a process of its own, on one processor;
the server, the same for all, is on another one. Counted are requests per second of the
generator's processor time. The contenders take turns in every round and the bar is a ratio of the
medians, so a busy machine slows all of them.

Ours records what a loader records, the three clocks in histograms and exemplars, and hands it over
every half a second; it fires the same event as the others, and what both counted is compared.
The last contender is what is left when a user has a socket, ready bytes and a parser, and nothing
else: no connection is looked after, no time limit kept, no error told apart.

Needs two processors.
"""

from __future__ import annotations

# First: importing Locust patches the standard library.
from locust import FastHttpUser, HttpUser, User, constant, events, task  # isort: skip

import argparse
import gc
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import gevent
import httptools
from locust.env import Environment

from palier.load.recorder import Recorder, Sent
from scenarios.operation import operation
from scenarios.visitor import JourneyUser

BAR = 3.0
"""Times as many requests per second of processor time as stock FastHttpUser."""
USERS = 50
PATH = "/session/1"
WARM_UP_S = 0.5
LINE_EVERY_S = 0.5

length = 0
"""Bytes of the right answer."""


class StockHttp(HttpUser):
    wait_time = constant(0)

    @task
    def look(self) -> None:
        with self.client.get(PATH, name="look", catch_response=True) as answer:
            if answer.status_code != 200 or len(answer.content) != length:
                answer.failure("wrong answer")


class StockFastHttp(FastHttpUser):
    wait_time = constant(0)

    @task
    def look(self) -> None:
        with self.client.get(PATH, name="look", catch_response=True) as answer:
            if answer.status_code != 200 or len(answer.content) != length:
                answer.failure("wrong answer")


class Ours(JourneyUser):
    """As the engine drives it, but with no pause between an answer and the next request."""

    recorder: ClassVar[Recorder]
    t0_ns: ClassVar[int]

    @operation
    def look(self) -> None:
        self.check(len(self.call("GET", PATH).body) == length, "wrong answer")

    def loop(self) -> None:
        recorder, t0_ns = self.recorder, self.t0_ns

        def on_send(started_ns: int) -> None:
            recorder.start("look", (started_ns - t0_ns) // 1_000_000_000)

        self.on_send = on_send
        self.begin(tenant=0, session=0)
        intended_us = (time.monotonic_ns() - t0_ns) // 1000
        while True:
            outcome = self.perform("look")
            exchange = self.exchange
            assert exchange.started_ns is not None
            assert exchange.ended_ns is not None
            started_us = (exchange.started_ns - t0_ns) // 1000
            ended_us = (exchange.ended_ns - t0_ns) // 1000
            sent = Sent(
                "look",
                started_us // 1_000_000,
                intended_us,
                started_us,
                ended_us,
                outcome,
                0,
                0,
                exchange.message,
            )
            if recorder.end(sent):
                recorder.keep(sent, status=exchange.status, request_id=exchange.request_id)
            intended_us = ended_us


Ours.tasks = [Ours.loop]  # and not the journeys of plain Locust


class Ceiling(User):
    wait_time = constant(0)

    @task
    def look(self) -> None:
        host, port = str(self.host).removeprefix("http://").split(":")
        connection = socket.create_connection((host, int(port)))
        request = f"GET {PATH} HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\n\r\n".encode()
        reader = _Reader()
        parser = httptools.HttpResponseParser(reader)
        fire = self.environment.events.request.fire
        while True:
            reader.done = False
            started_ns = time.monotonic_ns()
            connection.sendall(request)
            while not reader.done:
                parser.feed_data(connection.recv(16384))
            ended_ns = time.monotonic_ns()
            right = parser.get_status_code() == 200 and len(reader.body) == length
            fire(
                request_type="GET",
                name="look",
                response_time=(ended_ns - started_ns) / 1e6,
                response_length=len(reader.body),
                exception=None if right else ValueError("wrong answer"),
            )


class _Reader:
    body = b""
    done = False

    def on_body(self, part: bytes) -> None:
        self.body = part

    def on_message_complete(self) -> None:
        self.done = True


CONTENDERS: dict[str, type[User]] = {
    "stock HttpUser": StockHttp,
    "stock FastHttpUser": StockFastHttp,
    "Palier": Ours,
    "a socket and a parser": Ceiling,
}


def generate(name: str, url: str, seconds: float) -> dict[str, float]:
    """Be one contender: requests and processor seconds after the warm-up."""
    global length
    length = _length_of_answer(url)
    user_class = CONTENDERS[name]
    user_class.host = url
    environment = Environment(user_classes=[user_class], events=events, host=url)
    runner = environment.create_local_runner()
    ours = user_class is Ours
    lines: list[dict[str, Any]] = []
    if ours:
        # What a loader does (scenarios/engine.py).
        Ours.recorder, Ours.t0_ns = Recorder(worker=0), time.monotonic_ns()
        gevent.spawn(_hand_over, Ours.recorder, lines.append)
        gc.collect()
        gc.freeze()
        gc.disable()
    runner.start(USERS, spawn_rate=USERS)
    gevent.sleep(WARM_UP_S)
    total = environment.stats.total  # the start made a new one
    before, cpu_before = total.num_requests, time.process_time()
    gevent.sleep(seconds)
    requests, cpu_s = total.num_requests - before, time.process_time() - cpu_before
    if total.num_failures:
        raise SystemExit(f"{name}: {environment.stats.errors}")
    if ours:
        lines.append(Ours.recorder.line(at_s=0, final=True, health={}))
        recorded = sum(_successes(line) for line in lines)
        assert recorded == total.num_requests, (recorded, total.num_requests)
    return {"requests": requests, "cpu_s": cpu_s}


def _hand_over(recorder: Recorder, take: Callable[[dict[str, Any]], None]) -> None:
    while True:
        gevent.sleep(LINE_EVERY_S)
        take(recorder.line(at_s=0, final=False, health={}))


def _successes(line: dict[str, Any]) -> int:
    return sum(counts.get("succeeded", 0) for _, _, counts in line["ledger"])


def _length_of_answer(url: str) -> int:
    import requests

    return len(requests.get(url + PATH, timeout=5).content)


@contextmanager
def server(cpu: int) -> Iterator[str]:
    """The known-law server without delay; its address."""
    argv = [sys.executable, "-m", "palier.selftest.server", "--port", "0", "--law", "constant:0"]
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, text=True, preexec_fn=lambda: pin(cpu)
    ) as child:
        assert child.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(child.stdout.readline())}"
        finally:
            child.kill()


def pin(cpu: int) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {cpu})


def one_turn(name: str, url: str, seconds: float, cpu: int) -> float:
    """Requests per processor second of one contender."""
    argv = [sys.executable, __file__, "--contender", name, "--url", url, "--seconds", str(seconds)]
    done = subprocess.run(
        argv, check=True, stdout=subprocess.PIPE, text=True, preexec_fn=lambda: pin(cpu)
    )
    found = json.loads(done.stdout.splitlines()[-1])
    return float(found["requests"] / found["cpu_s"])


def main() -> None:
    parser = argparse.ArgumentParser(description="cost of one request")
    parser.add_argument("--seconds", type=float, default=2.0, help="of one turn")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--contender", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contender:
        print(json.dumps(generate(options.contender, options.url, options.seconds)), flush=True)
        # Users in an endless loop are not waited for.
        os._exit(0)
    cpus = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0, 0]
    turns: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    with server(cpus[-1]) as url:
        for _ in range(options.rounds):
            for name, rates in turns.items():
                rates.append(one_turn(name, url, options.seconds, cpus[0]))
    medians = {name: statistics.median(rates) for name, rates in turns.items()}
    stock = medians["stock FastHttpUser"]
    print(f"{'':24}{'requests per CPU-second':>24}{'us each':>10}{'times stock':>13}   rounds")
    for name, rate in medians.items():
        rounds = " ".join(f"{one:,.0f}" for one in turns[name])
        print(f"{name:24}{rate:>24,.0f}{1e6 / rate:>10.1f}{rate / stock:>13.2f}   {rounds}")
    ratio = medians["Palier"] / stock
    print(
        f"bar: {BAR:g} times stock FastHttpUser; {'met' if ratio >= BAR else 'MISSED'}: {ratio:.2f}"
    )


if __name__ == "__main__":
    main()
