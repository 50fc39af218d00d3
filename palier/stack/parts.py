"""The words for what a stack has beside PostgreSQL and the application."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from palier.model.tier import StackSpec
from palier.model.variant import Variant
from palier.stack.database import Database
from palier.stack.process import Child
from palier.stack.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A running part of a stack.

    Attributes:
        name: Of its log, its telemetry and its entry in ``environment.json``.
        processes: Ours; none for somebody else's.
        described: What ``environment.json`` says about it; holds no secrets.
        environment: What the application and the workers must know of it.
        address: Where telemetry asks it; None where there is nothing to ask.
        url: Where the load goes from now on; None to leave it where it is.
    """

    name: str
    processes: tuple[Child, ...] = ()
    described: Mapping[str, object] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    address: str | None = field(default=None, repr=False)
    url: str | None = None

    def pids(self) -> tuple[int, ...]:
        """Its processes and all their descendants at this moment."""
        return tuple(pid for process in self.processes for pid in process.pids())


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where a part is started, and what is there already.

    Attributes:
        workspace: Owns its processes and data.
        spec: Sizes.
        variant: Switches.
        seed: Of everything that is drawn.
        cpus: Cores it may use; empty means all.
        environ: Our own environment: ``PALIER_*`` and ``PATH`` are read.
        database: The stack's, with all its rows.
        worker_url: Its login for workers.
        environment: What the application and the workers must know so far.
        url: Where the load would go; None before the application runs.
    """

    workspace: Workspace
    spec: StackSpec
    variant: Variant
    seed: int
    cpus: tuple[int, ...]
    environ: Mapping[str, str] = field(repr=False)
    database: Database
    worker_url: str = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)
    url: str | None = None

    def beside(self, part: Part) -> Site:
        """The same place for the next part, which knows this one."""
        return replace(
            self,
            environment={**self.environment, **part.environment},
            url=self.url if part.url is None else part.url,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A part that some tiers have.

    Attributes:
        title: For people.
        needed: True when a tier with these switches and sizes has it.
        find: Raises StackError when this machine lacks its program; called before anything is
            started.
        start: Starts it and waits until it is ready.
    """

    title: str
    needed: Callable[[Variant, StackSpec], bool]
    start: Callable[[Site], Part]
    find: Callable[[Mapping[str, str]], object] = lambda _environ: None
