"""Users written for stock Locust, driven by our engine: one task is one operation.

A task is any code, so it is looked at from outside: its operation begins when the task does and
ends with the last request it made, as Locust's own request event tells. It failed if any of its
requests did, if it raised, or if it made none. Our rules about requests (one for each operation,
none sent twice, no redirect followed) are the task's own business; what it costs is Locust's.

Pauses and order stand in the journeys: ``wait_time`` and weights have no say. A session is a user
object of its own, which has run ``on_start``: as a step, if a journey has it as one; otherwise
within the first step. ``on_stop`` is not run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Final

from gevent import getcurrent
from locust import TaskSet, User
from locust.exception import (
    InterruptTaskSet,
    RescheduleTask,
    RescheduleTaskImmediately,
    StopUser,
)
from locust.user.task import LOCUST_STATE_RUNNING, DefaultTaskSet

from palier.load.outcome import Outcome
from palier.load.writes import Write
from palier.model.plan import REQUEST_TIMEOUT_S
from scenarios.client.deadlines import Deadlines
from scenarios.client.errors import OWN_ERRNOS, TimeIsUp, in_words
from scenarios.operation import CannotFollow, GeneratorError, Operation, TimedOut

ON_START: Final = "on_start"

_REQUEST_ID: Final = "x-request-id"

_ENDS_TASK: Final = (InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately)
"""What a task raises to end early."""


class TaskRun:
    """A task that runs, and what its requests told. Instants of ``time.monotonic_ns``.

    Attributes:
        operation: Its name.
        started_ns: When it began.
        ended_ns: When its last request had ended.
        requests: How many it made.
        status: HTTP status of the last one, or of the first that failed.
        request_id: The request id of that answer.
        message: What went wrong; empty when nothing did.
        trouble: The error of the first request that failed.
    """

    __slots__ = (
        "ended_ns",
        "message",
        "operation",
        "request_id",
        "requests",
        "started_ns",
        "status",
        "trouble",
    )

    def __init__(self, operation: str) -> None:
        self.operation = operation
        self.started_ns: int | None = None
        self.ended_ns: int | None = None
        self.requests = 0
        self.status: int | None = None
        self.request_id: str | None = None
        self.message = ""
        self.trouble: BaseException | None = None

    def hear(self, name: str, response: Any, exception: Any) -> None:
        """One of its requests has ended."""
        self.ended_ns = time.monotonic_ns()
        self.requests += 1
        if self.message:
            return  # the first failure is the one to tell of
        self.status = getattr(response, "status_code", None) or None
        self.request_id = (getattr(response, "headers", None) or {}).get(_REQUEST_ID)
        if exception:
            told = in_words(exception) if isinstance(exception, BaseException) else str(exception)
            self.message = told if name == self.operation else f"{name}: {told}"
            self.trouble = exception if isinstance(exception, BaseException) else None


class Ears:
    """Hears Locust's request events, and knows by the greenlet whose they are.

    Requests that a task makes in greenlets of its own are heard by nobody here.
    """

    def __init__(self, environment: Any) -> None:
        self.running: dict[Any, TaskRun] = {}
        environment.events.request.add_listener(self._on_request)

    def _on_request(self, name: str, response: Any = None, exception: Any = None, **_: Any) -> None:
        run = self.running.get(getcurrent())
        if run is not None:
            run.hear(name, response, exception)


class StockPlayer:
    """Plays sessions with users of one stock class; see ``player_of``.

    Attributes:
        stock: The class of the locustfile.
        operations: Its tasks.
        host: Address of the service.
        timeout_s: Limit of a task as a whole.
        tenant: Index of the tenant whose session this is.
        session: Index of the session.
        exchange: The task that ran last.
    """

    stock: ClassVar[type[User]]
    operations: ClassVar[dict[str, Operation]] = {}
    tasks: ClassVar[dict[str, Callable[[Any], object]]] = {}
    host: ClassVar[str | None] = None
    timeout_s: ClassVar[float] = REQUEST_TIMEOUT_S
    seed: ClassVar[int] = 1
    accounts: ClassVar[int] = 1
    epoch: ClassVar[int] = 0
    _ears: ClassVar[Ears | None] = None
    _deadlines: ClassVar[Deadlines | None] = None

    def __init__(self, environment: Any) -> None:
        cls = type(self)
        cls.stock.host = cls.host
        if cls._ears is None or cls._deadlines is None:
            cls._ears = Ears(environment)
            cls._deadlines = Deadlines(cls.timeout_s)
        self._hears = cls._ears
        self._due = cls._deadlines
        self._environment = environment
        self._user: Any = None
        self._has_started = False
        self._has_left = False
        self.tenant = self.session = 0
        self.observations: dict[str, float] = {}
        self.tallies: dict[str, list[int]] = {}
        self.exchange = TaskRun("")
        self.on_send: Callable[[int], None] | None = None
        self.on_write: Callable[[Write], None] | None = None

    def begin(self, *, tenant: int, session: int) -> None:
        """Become another visitor: a new object of the stock class, as Locust would spawn one."""
        self.tenant = tenant
        self.session = session
        self._user = None
        self._has_started = self._has_left = False

    def perform(self, name: str) -> Outcome:
        """Run one task.

        Raises:
            CannotFollow: The user has stopped itself (``StopUser``) in an earlier one.
            GeneratorError: This machine has run out of something.
        """
        if self._has_left:
            raise CannotFollow("the user has stopped itself")
        run = self.exchange = TaskRun(name)
        greenlet = getcurrent()
        started_ns = run.started_ns = time.monotonic_ns()
        if self.on_send is not None:
            self.on_send(started_ns)
        self._hears.running[greenlet] = run
        self._due.waiting[greenlet] = started_ns + self._due.limit_ns
        self._due.watch()
        timed_out = False
        try:
            self._run(name)
        except TimeIsUp:
            timed_out = True
            run.ended_ns = time.monotonic_ns()
            run.message = f"the task was not over in {self.timeout_s:g} s"
            self._tell_of_timeout(run)
        except StopUser:
            self._has_left = True
        except _ENDS_TASK:
            pass
        except Exception as error:  # noqa: BLE001  as Locust does: a failure of the task
            self._tell_of_error(run, error)
        finally:
            self._due.waiting.pop(greenlet, None)
            self._hears.running.pop(greenlet, None)
        if run.ended_ns is None:
            run.ended_ns = time.monotonic_ns()
        if run.trouble is not None and _is_our_own(run.trouble):
            raise GeneratorError(f"{run.message}: raise the limit, or use more --workers")
        if timed_out:
            return "timed_out"
        if not run.requests and not run.message:
            run.message = f"scenario: task {name} makes no request"
        return "failed" if run.message else "succeeded"

    def _run(self, name: str) -> None:
        user = self._user
        if user is None:
            user = self._user = self.stock(self._environment)
            vars(user).update(palier_tenant=self.tenant, palier_session=self.session)
            # What `User.run` prepares, so that a task may call `self.wait()`.
            user._state = LOCUST_STATE_RUNNING
            user._taskset_instance = DefaultTaskSet(user)
        if not self._has_started:
            self._has_started = True
            user.on_start()
            if name == ON_START:
                return
            self.exchange.requests = 0  # those of the task itself make it an operation
        self.tasks[name](user)

    def _tell_of_error(self, run: TaskRun, error: Exception) -> None:
        if not run.message:
            run.message = f"scenario: {in_words(error)}"
        self._environment.events.user_error.fire(
            user_instance=self._user, exception=error, tb=error.__traceback__
        )

    def _tell_of_timeout(self, run: TaskRun) -> None:
        """Locust hears of the request that was cut off under the name of its task."""
        self._environment.events.request.fire(
            request_type="TASK",
            name=run.operation,
            response_time=self.timeout_s * 1000,
            response_length=0,
            response=None,
            context={},
            exception=TimedOut(run.message),
        )


def player_of(stock: type[User]) -> type[StockPlayer]:
    """The class that plays sessions with users of a stock class."""
    every: list[Any] = list(stock.tasks)
    tasks = {one.__name__: one for one in every if not _is_task_set(one)}
    operations = {name: Operation(name, essential=False) for name in tasks}
    if stock.on_start is not User.on_start:
        tasks[ON_START] = stock.on_start
        operations[ON_START] = Operation(ON_START, essential=True)
    attributes = {"stock": stock, "tasks": tasks, "operations": operations}
    return type(stock.__name__, (StockPlayer,), attributes)


def task_sets_of(stock: type[User]) -> list[str]:
    """Names of the task sets of a class: they decide themselves what comes next, so a schedule
    cannot."""
    every: list[Any] = list(stock.tasks)
    return sorted({one.__name__ for one in every if _is_task_set(one)})


def _is_task_set(one: Any) -> bool:
    return isinstance(one, type) and issubclass(one, TaskSet)


def _is_our_own(error: BaseException) -> bool:
    return any(isinstance(one, OSError) and one.errno in OWN_ERRNOS for one in _behind(error))


def _behind(error: BaseException) -> Iterator[BaseException]:
    """An error and those it hides: clients wrap what the system said."""
    seen: set[int] = set()
    left: list[Any] = [error]
    while left:
        one = left.pop()
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            left += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
