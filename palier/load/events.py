"""What happened in a run beside its requests: the lines of ``events.jsonl``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from palier.model.plan import RunPlan
from palier.model.stages import stages_of


class Events:
    """Collects the events of a run.

    Attributes:
        t0: Start of the run, an instant of ``time.monotonic``; set before anything is told.
    """

    def __init__(self) -> None:
        self.t0 = 0.0
        self._events: list[dict[str, Any]] = []

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self._events)

    def tell(self, kind: str, name: str, *, at_s: float | None = None, **more: Any) -> None:
        """Something has happened.

        Args:
            kind: What sort of thing.
            name: Which of them.
            at_s: When, in seconds from the start of the run; None for now.
            more: Further keys.
        """
        if at_s is None:
            at_s = round(time.monotonic() - self.t0, 3)
        self._events.append({"at_s": at_s, "kind": kind, "name": name, **more})

    def tell_of_plan(self, plan: RunPlan) -> None:
        """The phases of the run, and the bends of its load."""
        for at_s, name in (
            (0.0, "window"),
            (plan.warmup_s, "judged"),
            (plan.duration_s, "drain"),
        ):
            self.tell("phase", name, at_s=at_s)
        for stage in stages_of(plan):
            self.tell(
                "stage",
                "bend",
                at_s=stage.from_s,
                level=stage.low,
                to_level=stage.high,
                message=str(stage),
            )

    def tell_of_note(self, note: dict[str, Any], *, local_workers: int) -> None:
        """What the master has noted of a worker.

        Args:
            note: As ``palier.load.master_notes`` reads it.
            local_workers: So many workers are on this machine, the first ones.
        """
        kind, worker = note["kind"], int(note["worker"])
        at_s = round(note["at_ns"] / 1e9 - self.t0, 3)
        if kind != "clock":
            more = {key: note[key] for key in note.keys() - {"kind", "at_ns"}}
            self.tell("worker", kind, at_s=at_s, **more)
            return
        known = {
            f"{name}_ms": round(note[f"{name}_ns"] / 1e6, 4)
            for name in ("offset", "bound")
            if f"{name}_ns" in note
        }
        is_local = worker < local_workers
        self.tell("worker", "clock", at_s=at_s, worker=worker, local=is_local, **known)
