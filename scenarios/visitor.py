"""The base of every scenario: a Locust user that visits by journeys.

Driven by Palier, one object serves one session after the other, as ``scenarios.engine`` tells it.
Run by plain Locust, it walks the journeys in a loop with their think times (``scenarios.plain``).
How to write one: ``scenarios/README.md``.
"""

from __future__ import annotations

import errno
import json
import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

import gevent
from gevent import Timeout
from locust import task
from locust.contrib.fasthttp import FastHttpUser, LocustBadStatusCode

from palier.load.outcome import Outcome
from palier.load.writes import Fate, Intent, Write
from palier.model.journey import Journey
from palier.model.plan import REQUEST_TIMEOUT_S

# Imported for what it does: it adds our flags and hooks to Locust.
from scenarios import control as _control  # noqa: F401
from scenarios.connections import SharedConnections
from scenarios.operation import (
    CannotFollow,
    Failed,
    GeneratorError,
    Operation,
    ScenarioError,
    TimedOut,
    operations_of,
)
from scenarios.plain import Visit, plain_visits

REQUEST_ID_HEADER = "x-request-id"


class Answer:
    """An answer with the expected status.

    Attributes:
        status: HTTP status.
        headers: Header names in any case to values.
        body: The whole body, decompressed.
    """

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            Failed: It is not JSON.
        """
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise Failed("the body is not JSON") from error


OWN_ERRNOS: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS})
"""Open files, ports and buffers that this machine has run out of."""


class Exchange:
    """The one request of a running operation. Instants of ``time.monotonic_ns``.

    Attributes:
        operation: Name of the operation.
        started_ns: When it was sent; None before.
        ended_ns: When its last byte had come, or it was given up; None before.
        status: HTTP status; None when no answer came.
        request_id: The answer's request id, if it had one.
        message: What went wrong; empty when nothing did.
        intent: What the request was to write, if anything.
        answer: The right answer, once it has come whole; None before and otherwise.
    """

    __slots__ = (
        "answer",
        "ended_ns",
        "intent",
        "message",
        "operation",
        "request_id",
        "response",
        "started_ns",
        "status",
    )

    def __init__(self, operation: str) -> None:
        self.operation = operation
        self.started_ns: int | None = None
        self.ended_ns: int | None = None
        self.status: int | None = None
        self.request_id: str | None = None
        self.message = ""
        self.intent: Intent | None = None
        self.answer: Answer | None = None
        self.response: Any = None

    def fate(self) -> Fate:
        """What became of the intent, as far as the answer tells."""
        if self.answer is not None and self.answer.status < 300:
            return "acknowledged"
        if self.status is not None and 400 <= self.status < 500:
            return "refused"
        return "unanswered"


class _TimeIsUp(BaseException):
    """Ends a request that takes too long. Not an ``Exception`` and not gevent's own ``Timeout``,
    which the HTTP client would take for trouble of its own and swallow."""


class JourneyUser(FastHttpUser):
    """A visitor. Subclasses have operations, and remember what lies between them.

    Attributes:
        system: Id of the system in ``tiers.yaml`` whose journeys plain Locust walks.
        journeys: Journeys for plain Locust, in place of those of a system.
        seed: Seed of the data; ids and passwords derive from it.
        tenant: Index of the tenant whose session this is.
        session: Index of the session, unique in the run.
        epoch: Differs between runs, for what must not repeat in a database that outlives one.
        observations: Largest value seen of each fact worth judging, by name.
        tallies: How often each question was answered yes, and how often it was asked.
        exchange: The request of the operation that ran last.
    """

    abstract = True
    max_redirects = 0  # a redirect is an answer; following it would be a second request

    system: ClassVar[str | None] = None
    journeys: ClassVar[tuple[Journey, ...]] = ()
    operations: ClassVar[dict[str, Operation]] = {}
    timeout_s: ClassVar[float] = REQUEST_TIMEOUT_S
    seed: ClassVar[int] = 1
    epoch: ClassVar[int] = time.time_ns()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.operations = operations_of(cls)

    def __init__(self, environment: Any) -> None:
        if type(self).client_pool is None:
            type(self).client_pool = SharedConnections(timeout_s=self.timeout_s)
        super().__init__(environment)
        self.observations: dict[str, float] = {}
        self.tallies: dict[str, list[int]] = {}
        self.exchange = Exchange("")
        self.on_send: Callable[[int], None] | None = None
        self.on_write: Callable[[Write], None] | None = None
        self._visits: Any = None

    # what subclasses use --------------------------------------------------------------------

    def begin(self, *, tenant: int, session: int) -> None:
        """Become another visitor, and forget the one before.

        Subclasses extend it with what they remember between steps.
        """
        self.tenant = tenant
        self.session = session
        self.client.cookiejar.clear()

    def call(
        self,
        method: str,
        path: str,
        *,
        expect: int | tuple[int, ...] = 200,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        writes: Intent | None = None,
    ) -> Answer:
        """Make the one request of the running operation and check the status of its answer.

        Args:
            method: HTTP method.
            path: Path with query, below the host.
            expect: The right status, or all right ones.
            body: Sent as JSON when given.
            headers: Further headers.
            writes: What it is to write; the database is compared with it after the run.

        Raises:
            Failed: No answer, not a whole one, or another status.
            TimedOut: No whole answer within ``timeout_s``.
            ScenarioError: The operation has made its request already.
            GeneratorError: This machine, not the service, could not open a connection.
        """
        exchange = self.exchange
        if exchange.started_ns is not None:
            raise ScenarioError(f"operation {exchange.operation} makes more than one request")
        exchange.intent = writes
        response = self._send(exchange, method, path, body, headers)
        right = expect if isinstance(expect, tuple) else (expect,)
        status = response.status_code or None
        exchange.status = status
        if response.headers is not None:
            exchange.request_id = response.headers.get(REQUEST_ID_HEADER)
        problem = response.request_meta["exception"] or getattr(response, "error", None)
        if isinstance(problem, LocustBadStatusCode):
            problem = None  # a refusal may be the right answer
        if isinstance(problem, OSError) and problem.errno in OWN_ERRNOS:
            raise GeneratorError(f"{_in_words(problem)}: raise the limit, or use more --workers")
        if problem is not None and (status is None or status in right):
            raise Failed(f"no whole answer: {_in_words(problem)}")
        if status is None or status not in right:
            raise Failed(f"status {status} instead of {' or '.join(map(str, right))}")
        exchange.answer = Answer(status, response.headers, response.content or b"")
        return exchange.answer

    def check(self, claim: bool, otherwise: str) -> None:
        """Hold a claim about the answer.

        Raises:
            Failed: It does not hold.
        """
        if not claim:
            raise Failed(otherwise)

    def observe(self, name: str, value: float) -> None:
        """Note a fact about the answers that a target judges; the largest value counts."""
        if value > self.observations.get(name, float("-inf")):
            self.observations[name] = value

    def tally(self, name: str, yes: bool) -> None:
        """Note one answer to a question about the answers; a target judges the share of yes."""
        counts = self.tallies.setdefault(name, [0, 0])
        counts[0] += yes
        counts[1] += 1

    # what drives it uses --------------------------------------------------------------------

    def perform(self, name: str) -> Outcome:
        """Run one operation; Locust's own listeners hear of it as of any request.

        Returns:
            How it ended; the rest is in ``exchange``.

        Raises:
            CannotFollow: An earlier operation failed, and nothing was sent.
        """
        exchange = self.exchange = Exchange(name)
        outcome: Outcome = "failed"
        try:
            getattr(self, name)()
            if exchange.started_ns is None:
                raise ScenarioError(f"operation {name} makes no request")
            outcome = "succeeded"
        except CannotFollow:
            if exchange.started_ns is None:
                raise
            exchange.message = "the scenario gave up after sending"
        except TimedOut as error:
            outcome = "timed_out"
            exchange.message = str(error)
        except Failed as error:
            exchange.message = str(error)
        except ScenarioError as error:
            exchange.message = f"scenario: {error}"
        except GeneratorError:
            raise
        except Exception as error:  # noqa: BLE001  an answer of an unforeseen form is a failure
            exchange.message = f"scenario: {type(error).__name__}: {error}"
        finally:
            # Also when the end of the run cuts the request off.
            self._tell_of_write(exchange)
        self._tell_locust(exchange)
        return outcome

    @task
    def visit(self) -> None:
        """One session of plain, closed-loop Locust: a journey with its think times."""
        if self._visits is None:
            self._visits = plain_visits(self)
        visit: Visit = next(self._visits)
        if visit.goes_on:
            self.session = visit.session
        else:
            self.begin(tenant=visit.tenant, session=visit.session)
        for think_s, name in visit.steps:
            gevent.sleep(think_s)
            try:
                outcome = self.perform(name)
            except CannotFollow:
                continue
            if outcome != "succeeded" and self.operations[name].essential:
                return

    # ----------------------------------------------------------------------------------------

    def _send(
        self,
        exchange: Exchange,
        method: str,
        path: str,
        body: Any,
        headers: Mapping[str, str] | None,
    ) -> Any:
        data = None if body is None else json.dumps(body)
        sent_headers = dict(headers) if headers else {}
        if data is not None:
            sent_headers.setdefault("Content-Type", "application/json")
        sent_headers.setdefault("Accept", "application/json")
        time_is_up = _TimeIsUp()
        exchange.started_ns = time.monotonic_ns()
        if self.on_send is not None:
            self.on_send(exchange.started_ns)
        timer = Timeout.start_new(self.timeout_s, time_is_up)
        try:
            exchange.response = self.client.request(
                method,
                path,
                name=exchange.operation,
                data=data,
                headers=sent_headers,
                catch_response=True,
            )
        except _TimeIsUp as error:
            if error is not time_is_up:
                raise
            self._tell_locust_of_timeout(exchange, method, path)
            raise TimedOut(f"no whole answer in {self.timeout_s:g} s") from None
        finally:
            exchange.ended_ns = time.monotonic_ns()
            timer.close()
        return exchange.response

    def _tell_of_write(self, exchange: Exchange) -> None:
        intent = exchange.intent
        if intent is None or self.on_write is None or exchange.ended_ns is None:
            return
        given = intent.id
        if given is None and exchange.answer is not None:
            given = _id_of(exchange.answer)
        self.on_write(
            Write(
                at_ns=exchange.ended_ns,
                operation=exchange.operation,
                tenant=self.tenant,
                session=self.session,
                kind=intent.kind,
                action=intent.action,
                id=given,
                row=intent.row,
                fate=exchange.fate(),
            )
        )

    def _tell_locust(self, exchange: Exchange) -> None:
        response, exchange.response = exchange.response, None
        if response is None:
            return
        with response:
            if exchange.message:
                response.failure(exchange.message)
            else:
                response.success()

    def _tell_locust_of_timeout(self, exchange: Exchange, method: str, path: str) -> None:
        self.environment.events.request.fire(
            request_type=method,
            name=exchange.operation,
            response_time=self.timeout_s * 1000,
            response_length=0,
            response=None,
            context={},
            exception=TimedOut(f"no whole answer in {self.timeout_s:g} s"),
            start_time=time.time() - self.timeout_s,
            url=f"{self.host}{path}",
        )


def _id_of(answer: Answer) -> str | None:
    """Id of what was created; None when the answer does not say."""
    try:
        given = answer.json()["id"]
    except (Failed, KeyError, TypeError):
        return None
    return given if isinstance(given, str) else None


def _in_words(error: BaseException) -> str:
    """An error of the HTTP client without what differs each time, such as the address."""
    text = getattr(error, "text", None) or getattr(error, "strerror", None) or str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
