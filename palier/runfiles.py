"""The run directory: its files by name, read into values and written from them.

The only place that knows which file of a run holds what; see docs/architecture.md, "The run
directory". Reading is strict where a number could be wrong (a damaged ledger is an error) and
lenient where something is merely absent (no telemetry is said, not fatal). A run that was killed
before its archive was written is put together from the lines of its loaders.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from palier.analysis.documents import (
    findings_as_json,
    findings_from_json,
    verdict_as_json,
    verdict_from_json,
)
from palier.analysis.facts import Fact, observations_as_json, observations_from_json
from palier.analysis.findings import Findings
from palier.analysis.health import HEALTH_COLUMNS, OPTIONAL_COLUMNS, no_health_lines
from palier.analysis.invariants import (
    Invariant,
    invariants_as_json,
    invariants_from_json,
    not_ours,
    unknown_invariants,
)
from palier.analysis.verdict import Verdict
from palier.errors import RunFilesError
from palier.load.archive import HISTOGRAMS_FILE, LEDGER_FILE, read_histograms, read_ledger
from palier.load.merge import Merger
from palier.load.schedule import make_schedule
from palier.load.tail import Tail
from palier.model.jsonvalue import Jsonable
from palier.model.plan import RunPlan
from palier.model.plan_json import plan_as_json, plan_from_json
from palier.telemetry.samples import TELEMETRY_NAME, Sample, read_samples

ENVIRONMENT_SCHEMA: Final = 1

Record = Mapping[str, Any]
"""One JSON object of a file of lines."""


@dataclass(frozen=True, slots=True)
class RunFiles:
    """The files of one run directory, by name."""

    path: Path

    @property
    def name(self) -> str:
        """Name of the run: that of its directory."""
        return self.path.resolve().name

    @property
    def plan(self) -> Path:
        return self.path / "plan.json"

    @property
    def environment(self) -> Path:
        return self.path / "environment.json"

    @property
    def load(self) -> Path:
        """Folder of the loaders' lines."""
        return self.path / "load"

    @property
    def ledger(self) -> Path:
        return self.path / LEDGER_FILE

    @property
    def histograms(self) -> Path:
        return self.path / HISTOGRAMS_FILE

    @property
    def exemplars(self) -> Path:
        return self.path / "exemplars.jsonl"

    @property
    def events(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def telemetry(self) -> Path:
        return self.path / TELEMETRY_NAME

    @property
    def observations(self) -> Path:
        return self.path / "observations.json"

    @property
    def invariants(self) -> Path:
        return self.path / "invariants.json"

    @property
    def findings(self) -> Path:
        return self.path / "findings.json"

    @property
    def verdict(self) -> Path:
        return self.path / "verdict.json"

    def write_plan(self, plan: RunPlan, *, schedule_digest: str | None = None) -> None:
        """Write ``plan.json``; makes the directory when it is not there."""
        self.path.mkdir(parents=True, exist_ok=True)
        write_json(self.plan, plan_as_json(plan, schedule_digest=schedule_digest))

    def write_observations(self, facts: Iterable[Fact]) -> None:
        """Write ``observations.json``."""
        write_json(self.observations, observations_as_json(facts))

    def write_invariants(self, invariants: tuple[Invariant, ...]) -> None:
        """Write ``invariants.json``."""
        write_json(self.invariants, invariants_as_json(invariants))

    def write_environment(self, environment: Mapping[str, Jsonable]) -> None:
        """Write ``environment.json``."""
        write_json(self.environment, {"schema": ENVIRONMENT_SCHEMA, **environment})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunInputs:
    """A run as its files tell it: what the analysis needs, and what reports show beside it.

    Attributes:
        run: Name of the run directory.
        plan: What was to be done.
        schedule_digest: Of the schedule that was played; None when it was not written.
        ledger: Columns of ``palier.load.archive.LEDGER_COUNTS`` with second and operation.
        histograms: Columns second, operation, outcome, clock, bucket, count.
        health_lines: One row for each line of a loader; see ``palier.analysis.health``.
        telemetry: Columns at_s, source, name, value.
        events: Of ``events.jsonl``, in the order written.
        facts: Of ``observations.json``.
        invariants: Of ``invariants.json``; where it is absent, that none is known.
        environment: Of ``environment.json``.
        exemplars: Of ``exemplars.jsonl``.
        missing: Sentences about files that are absent or cut short.
    """

    run: str
    plan: RunPlan
    schedule_digest: str | None
    ledger: pd.DataFrame
    histograms: pd.DataFrame
    health_lines: pd.DataFrame
    telemetry: pd.DataFrame
    events: Sequence[Record]
    facts: tuple[Fact, ...]
    invariants: tuple[Invariant, ...]
    environment: Record
    exemplars: Sequence[Record]
    missing: tuple[str, ...]


def read_run(run_dir: Path) -> RunInputs:
    """Everything a run left behind.

    Raises:
        RunFilesError: Not a run directory; a file is damaged or of another schema; or the run was
            killed before a loader had written anything.
    """
    files = RunFiles(run_dir)
    document = _read_plan_document(files)
    plan = plan_from_json(document, where=str(files.plan))
    lines = _Lines()
    loader_files = [
        path
        for worker in range(plan.workers)
        if (path := files.load / f"worker-{worker}.jsonl").is_file()
    ]
    health = _health_frame(files.load, lines.read_all(loader_files))
    ledger, histograms = _archive(files, plan, health, loader_files, lines)
    digest = document.get("schedule_digest")
    return RunInputs(
        run=files.name,
        plan=plan,
        schedule_digest=digest if isinstance(digest, str) else None,
        ledger=ledger,
        histograms=histograms,
        health_lines=health,
        telemetry=_telemetry(files, lines),
        events=lines.read(files.events),
        facts=_facts(files, lines),
        invariants=_invariants(files, plan),
        environment=_environment(files, lines),
        exemplars=lines.read(files.exemplars),
        missing=tuple(lines.missing),
    )


def write_findings(run_dir: Path, findings: Findings) -> None:
    """Write ``findings.json``."""
    write_json(RunFiles(run_dir).findings, findings_as_json(findings))


def write_verdict(run_dir: Path, verdict: Verdict) -> None:
    """Write ``verdict.json``."""
    write_json(RunFiles(run_dir).verdict, verdict_as_json(verdict))


def read_findings(run_dir: Path) -> Findings:
    """Read ``findings.json``.

    Raises:
        RunFilesError: The file is missing, damaged or of another schema.
    """
    path = RunFiles(run_dir).findings
    return findings_from_json(read_json(path), where=str(path))


def read_verdict(run_dir: Path) -> Verdict:
    """Read ``verdict.json``.

    Raises:
        RunFilesError: The file is missing, damaged or of another schema.
    """
    path = RunFiles(run_dir).verdict
    return verdict_from_json(read_json(path), where=str(path))


class _Lines:
    """Reads optional files and files of lines, and notes what was not there."""

    def __init__(self) -> None:
        self.missing: list[str] = []

    def read(self, path: Path) -> list[Record]:
        """Objects of a file of lines; absent is empty.

        The last line may be cut short when its writer was killed: it is left out and noted.

        Raises:
            RunFilesError: Another line is not a JSON object.
        """
        if not path.exists():
            self.missing.append(f"there is no {path.name}")
            return []
        records: list[Record] = []
        lines = _read_text(path).split("\n")
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except json.JSONDecodeError as error:
                if number == len(lines):
                    self.missing.append(f"the last line of {path.name} is cut short")
                    continue
                raise _damaged(path, f"line {number}: {error}") from error
            if not isinstance(record, dict):
                raise _damaged(path, f"line {number} is not an object")
            records.append(record)
        return records

    def read_all(self, paths: Sequence[Path]) -> list[Record]:
        """Objects of several files of lines, one after the other."""
        return [record for path in paths for record in self.read(path)]


def _read_plan_document(files: RunFiles) -> Mapping[str, Any]:
    if not files.plan.is_file():
        raise RunFilesError(
            what="there is no plan.json, so this is not the directory of a run",
            where=str(files.path),
            fix="give a directory below runs/, for example the one `palier run` printed",
        )
    document = read_json(files.plan)
    if not isinstance(document, dict):
        raise _damaged(files.plan, "not an object")
    return document


def _archive(
    files: RunFiles,
    plan: RunPlan,
    health: pd.DataFrame,
    loader_files: Sequence[Path],
    lines: _Lines,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ledger and histograms; of a killed run, what its loaders had written until then.

    The planned counts come from the schedule, so everything the loaders did not report stays
    open in such a ledger, and the run is INVALID.
    """
    absent = [path.name for path in (files.ledger, files.histograms) if not path.is_file()]
    if not absent:
        return read_ledger(files.ledger), read_histograms(files.histograms)
    what = (
        f"there is no {' and no '.join(absent)}: the run was killed before its archive was written"
    )
    if health.empty:
        raise RunFilesError(
            what=f"{what}, and no loader had written anything",
            where=str(files.path),
            fix="run again; a run stopped with Ctrl-C keeps what was measured",
        )
    lines.missing.append(
        f"{what}; this is what {health['worker'].nunique()} loader(s) had reported until "
        f"{float(health['at_s'].max()):.0f} s"
    )
    merger = Merger(make_schedule(plan).planned_counts())
    for path in loader_files:
        for line in Tail(path, worker=int(path.stem.removeprefix("worker-"))).read():
            merger.add(line)
    return merger.ledger(), merger.histograms()


def _health_frame(folder: Path, lines: Sequence[Record]) -> pd.DataFrame:
    """One row for each line of a loader; a line twice, as after a copy, counts once."""
    rows: dict[tuple[int, int], Record] = {}
    for line in lines:
        row = {**line, **line.get("health", {})}
        absent = [name for name in HEALTH_COLUMNS if name not in row]
        if absent:
            raise _damaged(folder, f"a line of a loader lacks {', '.join(absent)}")
        kept = {name: row[name] for name in HEALTH_COLUMNS}
        kept |= {name: row.get(name) for name in OPTIONAL_COLUMNS}
        rows[int(row["worker"]), int(row["seq"])] = kept
    return pd.DataFrame(list(rows.values())) if rows else no_health_lines()


def _telemetry(files: RunFiles, lines: _Lines) -> pd.DataFrame:
    if not files.telemetry.exists():
        lines.missing.append(f"there is no {files.telemetry.name}")
        samples: tuple[Sample, ...] = ()
    else:
        samples = read_samples(files.telemetry)
    columns = zip(*samples, strict=True) if samples else ((), (), (), ())
    at_s, source, name, value = columns
    return pd.DataFrame(
        {
            "at_s": pd.Series(list(at_s), dtype="float64"),
            "source": pd.Series(list(source), dtype="str"),
            "name": pd.Series(list(name), dtype="str"),
            "value": pd.Series(list(value), dtype="float64"),
        }
    )


def _facts(files: RunFiles, lines: _Lines) -> tuple[Fact, ...]:
    if not files.observations.exists():
        lines.missing.append(f"there is no {files.observations.name}")
        return ()
    document = read_json(files.observations)
    return observations_from_json(document, where=str(files.observations))


def _invariants(files: RunFiles, plan: RunPlan) -> tuple[Invariant, ...]:
    if files.invariants.exists():
        document = read_json(files.invariants)
        return invariants_from_json(document, where=str(files.invariants))
    if plan.url is not None:
        return not_ours("the service is not ours to look into")
    return unknown_invariants(f"there is no {files.invariants.name}")


def _environment(files: RunFiles, lines: _Lines) -> Record:
    if not files.environment.exists():
        lines.missing.append(f"there is no {files.environment.name}")
        return {}
    document = read_json(files.environment)
    if not isinstance(document, dict):
        raise _damaged(files.environment, "not an object")
    return document


def read_json(path: Path) -> Any:
    """The document of a file.

    Raises:
        RunFilesError: It cannot be read, or is damaged.
    """
    try:
        return json.loads(_read_text(path))
    except json.JSONDecodeError as error:
        raise _damaged(path, str(error)) from error


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RunFilesError(
            what=f"{path.name} cannot be read: {error}",
            where=str(path),
            fix="give a directory that `palier run` has written",
        ) from error


def write_json(path: Path, document: Mapping[str, Jsonable]) -> None:
    """Whole or not at all: a reader never sees half a document."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2)
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_text(text + "\n", encoding="utf-8")
    unfinished.replace(path)


def _damaged(path: Path, what: str) -> RunFilesError:
    return RunFilesError(
        what=f"{path.name} is damaged: {what}",
        where=str(path),
        fix="restore the file, or run again",
    )
