"""The base of every scenario: a Locust user that visits by journeys.

Driven by Palier, one object serves one session after the other, as ``scenarios.engine`` tells it.
Run by plain Locust, it walks the journeys in a loop with their think times (``scenarios.plain``).
How to write one: ``scenarios/README.md``.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, ClassVar, Final

import gevent
from locust import User, task
from locust.contrib.fasthttp import FastHttpSession, FastHttpUser
from locust.exception import CatchResponseError, StopTest

from palier.load.outcome import Outcome
from palier.load.writes import Intent, Write
from palier.model.journey import Journey
from palier.model.plan import REQUEST_TIMEOUT_S

# Imported for what it does: it adds our flags and hooks to Locust.
from scenarios import control as _control  # noqa: F401
from scenarios.client.answer import Answer as Answer  # scenarios name it
from scenarios.client.client import Client
from scenarios.client.cookies import Cookies
from scenarios.connections import SharedConnections
from scenarios.exchange import Exchange
from scenarios.locust_statistics import LocustStatistics
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

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


class JourneyUser(FastHttpUser):
    """A visitor. Subclasses have operations, and remember what lies between them.

    Attributes:
        system: Id of the system in ``tiers.yaml`` whose journeys plain Locust walks.
        journeys: Journeys for plain Locust, in place of those of a system.
        timeout_s: Limit of a request as a whole.
        connect_timeout_s: Limit of opening a connection; None for that of the request.
        insecure: Of Locust, and True there: do not ask whom the certificate of an https service
            is from. False to verify it; ``ssl_context_factory`` gives a context of one's own.
        default_headers: Of Locust: headers of every request.
        seed: Seed of the data; ids and passwords derive from it.
        accounts: Accounts of each tenant.
        tenant: Index of the tenant whose session this is.
        session: Index of the session, unique in the run.
        epoch: Differs between runs, for what must not repeat in a database that outlives one.
        observations: Largest value seen of each fact worth judging, by name.
        tallies: How often each question was answered yes, and how often it was asked.
        exchange: The request of the operation that ran last.
        locust_statistics: Kept up by a loader, while nobody else listens to requests.
    """

    abstract = True
    max_redirects = 0  # of Locust's client, for who uses it; ours never follows one

    system: ClassVar[str | None] = None
    journeys: ClassVar[tuple[Journey, ...]] = ()
    operations: ClassVar[dict[str, Operation]] = {}
    _clients: ClassVar[dict[tuple[Any, ...], Client]] = {}
    timeout_s: ClassVar[float] = REQUEST_TIMEOUT_S
    connect_timeout_s: ClassVar[float | None] = None
    seed: ClassVar[int] = 1
    accounts: ClassVar[int] = 1
    epoch: ClassVar[int] = time.time_ns()
    locust_statistics: ClassVar[LocustStatistics | None] = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.operations = operations_of(cls)
        cls._clients = {}

    def __init__(self, environment: Any) -> None:
        # Not FastHttpUser's, which makes a client of its own for every user; see ``client``.
        User.__init__(self, environment)
        self._lean = self._shared_client()
        self.cookies = Cookies(self._lean.origin)
        self.observations: dict[str, float] = {}
        self.tallies: dict[str, list[int]] = {}
        self.exchange = Exchange("")
        self.on_send: Callable[[int], None] | None = None
        self.on_write: Callable[[Write], None] | None = None
        self._visits: Any = None

    @cached_property
    def client(self) -> FastHttpSession:  # type: ignore[override]
        """Locust's own client, made when a scenario asks for it; it has cookies of its own.

        Its requests are Locust's alone: Palier counts and measures those of ``call``.
        """
        cls = type(self)
        if cls.client_pool is None:
            cls.client_pool = SharedConnections(timeout_s=self.timeout_s)
        return FastHttpSession(
            base_url=self.host,
            request_event=self.environment.events.request,
            user=self,
            client_pool=cls.client_pool,
            network_timeout=self.timeout_s,
            connection_timeout=self.timeout_s,
            max_redirects=self.max_redirects,
            insecure=self.insecure,
            ssl_context_factory=self.ssl_context_factory,
            headers=self.default_headers,
        )

    # what subclasses use --------------------------------------------------------------------

    def begin(self, *, tenant: int, session: int) -> None:
        """Become another visitor, and forget the one before.

        Subclasses extend it with what they remember between steps.
        """
        self.tenant = tenant
        self.session = session
        self.cookies.clear()
        if "client" in self.__dict__:
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
        cookies, client = self.cookies, self._lean
        data = None if body is None else json.dumps(body).encode()
        request = client.prepare(method, path, headers=headers, body=data, cookies=cookies)
        exchange.method = method
        exchange.path = path
        if writes is not None:
            exchange.intent = writes
        started_ns = exchange.started_ns = time.monotonic_ns()
        if self.on_send is not None:
            self.on_send(started_ns)
        try:
            answer = client.send(method, path, request, started_ns)
        except BaseException:
            exchange.ended_ns = time.monotonic_ns()
            raise
        exchange.ended_ns = answer.came_ns
        exchange.came = answer
        status = exchange.status = answer.status
        if b"\nset-cookie:" in answer.lower_head:
            cookies.take(answer.head, path)
        if status != expect and not (isinstance(expect, tuple) and status in expect):
            raise Failed(_unexpected(status, expect))
        exchange.answer = answer
        return answer

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
            if exchange.intent is not None and self.on_write is not None:
                write = exchange.write(tenant=self.tenant, session=self.session)
                if write is not None:
                    self.on_write(write)
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

    @classmethod
    def _shared_client(cls) -> Client:
        """The client of this class for its host, the same for all users."""
        if cls.host is None:
            raise StopTest("no host: give --host, or set `host` in the class")
        key = cls.host, cls.timeout_s, cls.connect_timeout_s
        client = cls._clients.get(key)
        if client is None:
            context = cls.ssl_context_factory() if cls.ssl_context_factory is not None else None
            client = cls._clients[key] = Client(
                cls.host,
                timeout_s=cls.timeout_s,
                connect_timeout_s=cls.connect_timeout_s,
                verify=not cls.insecure,
                context=context,
                headers=cls.default_headers,
            )
        return client

    def _tell_locust(self, exchange: Exchange) -> None:
        started_ns, ended_ns = exchange.started_ns, exchange.ended_ns
        if started_ns is None or ended_ns is None:
            return
        answer = exchange.came
        response_ms = (ended_ns - started_ns) / 1e6
        statistics = self.locust_statistics
        if statistics is not None and statistics.suffice:
            length = 0 if answer is None else len(answer.raw)
            method, name, message = exchange.method, exchange.operation, exchange.message
            statistics.note(method, name, response_ms, length, message)
            return
        if answer is None:
            answer = Answer(0, b"", b"", self._lean.url + exchange.path, ended_ns)
        began_s = (started_ns - time.monotonic_ns()) / 1e9  # before now
        self.environment.events.request.fire(
            request_type=exchange.method,
            name=exchange.operation,
            response_time=response_ms,
            response_length=len(answer.raw),
            response=answer,
            context=self.context(),
            exception=CatchResponseError(exchange.message) if exchange.message else None,
            start_time=time.time() + began_s,
            url=answer.url,
        )


def _unexpected(status: int, expect: int | tuple[int, ...]) -> str:
    right = expect if isinstance(expect, tuple) else (expect,)
    told = f"status {status} instead of {' or '.join(map(str, right))}"
    return f"{told}: redirects are not followed" if status in _REDIRECTS else told
