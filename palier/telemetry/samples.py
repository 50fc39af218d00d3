"""Samples of a run, and their file ``telemetry.parquet``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from palier.errors import RunFilesError

TELEMETRY_SCHEMA = 1
TELEMETRY_NAME = "telemetry.parquet"


class Sample(NamedTuple):
    """One measured number; a row of the file.

    Attributes:
        at_s: Offset from ``t0`` of the run, in seconds; negative before it.
        source: ``machine``, ``database``, ``loaders`` or a component (``postgres``, ``app``).
        name: What was measured, with its unit.
        value: The number; a rate is the mean since the sample before.
    """

    at_s: float
    source: str
    name: str
    value: float


_COLUMNS = pa.schema(
    [
        ("at_s", pa.float64()),
        ("source", pa.dictionary(pa.int32(), pa.string())),
        ("name", pa.dictionary(pa.int32(), pa.string())),
        ("value", pa.float64()),
    ],
    metadata={"palier_schema": str(TELEMETRY_SCHEMA)},
)


def write_samples(path: Path, samples: Iterable[Sample]) -> None:
    """Write the file in one step; an interrupted write leaves no half a file."""
    rows = sorted(samples)
    columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], [], []]
    table = pa.table(
        [
            pa.array(column, type=field.type)
            for column, field in zip(columns, _COLUMNS, strict=True)
        ],
        schema=_COLUMNS,
    )
    new = path.with_name(path.name + ".new")
    pq.write_table(table, new, compression="zstd")
    new.replace(path)


def read_samples(path: Path) -> tuple[Sample, ...]:
    """The samples of a run in order of time.

    Raises:
        RunFilesError: No such file, or one of another schema.
    """
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise RunFilesError(
            what=f"cannot read the telemetry: {error}",
            where=str(path),
            fix="give a run directory that palier run has written",
        ) from error
    found = (table.schema.metadata or {}).get(b"palier_schema", b"none").decode()
    if found != str(TELEMETRY_SCHEMA):
        raise RunFilesError(
            what=f"telemetry of schema {found}, this version reads {TELEMETRY_SCHEMA}",
            where=str(path),
            fix="use the version of palier that wrote it",
        )
    columns = [table.column(name).to_pylist() for name in Sample._fields]
    return tuple(Sample(*row) for row in zip(*columns, strict=True))
