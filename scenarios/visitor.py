"""The base of every scenario: a Locust user that visits by journeys.

Driven by Palier, one object serves one session after the other on its kept-alive connection, as
``scenarios.arrivals`` tells it. Run by plain Locust, it walks the journeys of ``tiers.yaml`` in a
loop with their think times.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from gevent import Timeout
from locust import task
from locust.contrib.fasthttp import FastHttpUser

from palier.model.journey import Journey
from palier.model.parse import load_catalogue
from scenarios import plugin
from scenarios.operation import Failed, Operation, ScenarioError, operations_of

PLAIN_VISITORS = 50
"""Tenants that plain Locust signs in as; the smallest tier has as many."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that passed the check of its status.

    Attributes:
        status: HTTP status.
        headers: Header names in lower case.
        body: Raw body.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            Failed: It is not JSON.
        """
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise Failed("the body is not JSON") from error


class JourneyUser(FastHttpUser):  # type: ignore[misc]  # locust ships no types for it
    """A visitor. Subclasses give ``system`` and operations.

    Attributes:
        system: Id of the system in ``tiers.yaml`` whose journeys plain Locust walks.
        seed: Seed of the data; ids and passwords derive from it.
        tenant: Index of the tenant this session belongs to.
        session: Index of the session, unique in the run.
        epoch: A number that differs between runs, for what must not repeat in a database that
            outlives one run.
        observations: Largest value seen of each fact worth judging, by name.
    """

    abstract = True
    system: ClassVar[str]
    max_redirects = 0
    concurrency = 1
    """One connection a visitor. A pool would hide waiting, and try again in silence."""

    operations: ClassVar[dict[str, Operation]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.operations = operations_of(cls)

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.seed = 1
        self.epoch = 0
        self.observations: dict[str, float] = {}
        self._open: Any = None
        self._operation = ""
        self.begin(tenant=0, session=0)

    def begin(self, *, tenant: int, session: int) -> None:
        """Forget the session before. Subclasses add what they remember between steps."""
        self.tenant = tenant
        self.session = session

    # making requests ------------------------------------------------------------------------

    def call(
        self,
        method: str,
        path: str,
        *,
        expect: int = 200,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Make the one request of the running operation and check the status of its answer.

        Args:
            method: HTTP method.
            path: Path with query, below the host.
            expect: The right status.
            body: Sent as JSON when given.
            headers: Further headers.

        Raises:
            Failed: No answer, or another status.
            ScenarioError: The operation has made its request already.
        """
        if self._open is not None:
            raise ScenarioError(f"operation {self._operation!r} makes more than one request")
        response = self.client.request(
            method,
            path,
            name=self._operation,
            json=body,
            headers=dict(headers or {}),
            catch_response=True,
        )
        self._open = response.__enter__()
        if response.status_code == 0:
            error = response.error
            if isinstance(error, Timeout):
                raise error
            raise Failed(f"no answer: {type(error).__name__}: {error}")
        if response.status_code != expect:
            raise Failed(f"status {response.status_code} instead of {expect}")
        return Answer(
            status=response.status_code,
            headers={name.lower(): value for name, value in (response.headers or {}).items()},
            body=response.content or b"",
        )

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

    # being driven ---------------------------------------------------------------------------

    def perform(self, name: str) -> tuple[int | None, str | None]:
        """Run one operation; Locust's own statistics hear of it as of any other request.

        Returns:
            Status and request id of the answer, None when there was none.

        Raises:
            Failed: The answer was not right.
            Timeout: There was none in time.
            ScenarioError: The scenario is wrong.
        """
        self._operation = name
        self._open = None
        try:
            getattr(self, name)()
        except (Failed, Timeout) as error:
            self._close(f"{type(error).__name__}: {error}")
            raise
        except BaseException:
            self._close("the scenario stopped")
            raise
        if self._open is None:
            raise ScenarioError(f"operation {name!r} made no request")
        return self._close(None)

    def last_answer(self) -> tuple[int | None, str | None]:
        """Status and request id of the answer to the operation that ran last."""
        return self._last

    _last: tuple[int | None, str | None] = (None, None)

    def _close(self, failure: str | None) -> tuple[int | None, str | None]:
        opened, self._open = self._open, None
        if opened is None:
            self._last = (None, None)
            return self._last
        if failure is not None:
            opened.failure(failure)
        headers = opened.headers or {}
        self._last = (opened.status_code or None, headers.get("x-request-id"))
        opened.__exit__(None, None, None)
        return self._last

    def reconnect(self) -> None:
        """Leave a connection that still waits for an answer; the next request opens another."""
        self.client.client.clientpool.close()

    # plain Locust ---------------------------------------------------------------------------

    @task
    def visit(self) -> None:
        """One session of plain, closed-loop Locust: a journey with its think times."""
        journeys = plain_journeys(self.system)
        journey = random.choices(journeys, [one.weight for one in journeys])[0]
        self.begin(tenant=random.randrange(PLAIN_VISITORS), session=random.randrange(2**19))
        for step in journey.steps:
            if step.think_s:
                self._sleep(random.expovariate(1 / step.think_s))
            try:
                self.perform(step.operation)
            except (Failed, Timeout):
                if self.operations[step.operation].essential:
                    return


_PLAIN: dict[str, tuple[Journey, ...]] = {}


def plain_journeys(system: str) -> tuple[Journey, ...]:
    """Journeys of a system from the ``tiers.yaml`` of the project, read once."""
    if system not in _PLAIN:
        path = Path(__file__).parent.parent / "tiers.yaml"
        _PLAIN[system] = load_catalogue(path).system(system).journeys
    return _PLAIN[system]
