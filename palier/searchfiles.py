"""The directory of a search: its files by name; see docs/architecture.md, "The search directory".

``search.json`` is written after every step, whole or not at all, so whatever ends a search leaves
all that it knew. Each stretch of load is a run directory of its own below ``probes/``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from palier.capacity.log import SearchLog, log_as_json, log_from_json
from palier.errors import RunFilesError
from palier.model.jsonvalue import Jsonable
from palier.model.plan import RunPlan
from palier.model.plan_json import plan_from_json
from palier.runfiles import RunFiles, read_json, write_json
from palier.stack.signals import shielded


@dataclass(frozen=True, slots=True)
class SearchFiles:
    """The files of one search directory, by name."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.resolve().name

    @property
    def log(self) -> Path:
        return self.path / "search.json"

    @property
    def answer(self) -> Path:
        return self.path / "answer.json"

    @property
    def probes(self) -> Path:
        return self.path / "probes"

    @property
    def as_run(self) -> RunFiles:
        """Plan, environment and logs of the stack are where those of a run are."""
        return RunFiles(self.path)

    def new_probe(self) -> tuple[int, Path]:
        """Number and empty directory of the next stretch of load.

        One that was cut off keeps its number, so nothing is ever written over.
        """
        self.probes.mkdir(exist_ok=True)
        number = 1 + max((int(path.name) for path in self.probes.glob("[0-9]*")), default=0)
        directory = self.probes / f"{number:02}"
        directory.mkdir()
        return number, directory

    def write_log(self, log: SearchLog) -> None:
        """Write ``search.json``; Ctrl-C waits for it, so that no evidence is lost."""
        with shielded():
            write_json(self.log, log_as_json(log))

    def write_answer(self, document: Mapping[str, Jsonable]) -> None:
        write_json(self.answer, document)

    def read_plan(self) -> RunPlan:
        return plan_from_json(self._read(self.as_run.plan), where=str(self.as_run.plan))

    def read_log(self) -> SearchLog:
        """What was found so far.

        Raises:
            RunFilesError: Not the directory of a search, or a file is damaged.
        """
        return log_from_json(self._read(self.log), where=str(self.log))

    def read_environment(self) -> Mapping[str, Any]:
        path = self.as_run.environment
        found: Mapping[str, Any] = read_json(path) if path.is_file() else {}
        return found

    def _read(self, path: Path) -> object:
        if not path.is_file():
            raise RunFilesError(
                what=f"there is no {path.name}, so this is not the directory of a search",
                where=str(self.path),
                fix="give the directory that `palier search` printed",
            )
        return read_json(path)
