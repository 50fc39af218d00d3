"""The two Parquet files of a run: ``ledger.parquet`` and ``histograms.parquet``.

Both are counts, so files of several loaders, windows or operations are merged by adding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from palier.errors import LoadError, RunFilesError
from palier.load.outcome import OUTCOMES, SKIP_REASONS

ARCHIVE_SCHEMA = 1
SCHEMA_KEY = b"palier_schema"

LEDGER_COUNTS = (
    "planned",
    "started",
    *OUTCOMES,
    "skipped",
    *(f"skipped_{reason}" for reason in SKIP_REASONS),
)

LEDGER_FORMAT = pa.schema(
    [("second", pa.int32()), ("operation", pa.string())]
    + [(name, pa.int64()) for name in LEDGER_COUNTS]
)

HISTOGRAMS_FORMAT = pa.schema(
    [
        ("second", pa.int32()),
        ("operation", pa.string()),
        ("outcome", pa.string()),
        ("clock", pa.string()),
        ("bucket", pa.int32()),
        ("count", pa.int64()),
    ]
)


def merge_lines(
    planned: Mapping[tuple[int, str], int], lines: Iterable[Mapping[str, Any]]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ledger and histograms of a run.

    Args:
        planned: From the schedule, never from a loader: one that forgets a request cannot hide it.
        lines: The loaders' lines (docs/architecture.md, "A loader's line"), in any order.

    Returns:
        Ledger and histograms with the columns of the two formats, sorted by their keys.
    """
    ledger: dict[tuple[int, str], Counter[str]] = {
        key: Counter(planned=count) for key, count in planned.items()
    }
    histograms: Counter[tuple[int, str, str, str, int]] = Counter()
    for line in lines:
        for second, operation, counts in line["ledger"]:
            ledger.setdefault((second, operation), Counter()).update(counts)
        for second, operation, outcome, clock, buckets in line["histograms"]:
            for bucket, count in buckets.items():
                histograms[second, operation, outcome, clock, int(bucket)] += count
    ledger_rows = [
        (second, operation, *(counts[name] for name in LEDGER_COUNTS))
        for (second, operation), counts in sorted(ledger.items())
    ]
    histogram_rows = [(*key, count) for key, count in sorted(histograms.items())]
    return (
        _frame(ledger_rows, LEDGER_FORMAT),
        _frame(histogram_rows, HISTOGRAMS_FORMAT),
    )


def write_ledger(path: Path, ledger: pd.DataFrame) -> None:
    """Write ``ledger.parquet``.

    Raises:
        LoadError: The file cannot be written, for example because the disk is full.
    """
    _write(path, ledger, LEDGER_FORMAT)


def write_histograms(path: Path, histograms: pd.DataFrame) -> None:
    """Write ``histograms.parquet``.

    Raises:
        LoadError: The file cannot be written, for example because the disk is full.
    """
    _write(path, histograms, HISTOGRAMS_FORMAT)


def read_ledger(path: Path) -> pd.DataFrame:
    """Columns ``second``, ``operation`` and ``LEDGER_COUNTS``; int64 counts.

    Raises:
        RunFilesError: The file is missing, damaged or of another schema.
    """
    return _read(path, LEDGER_FORMAT)


def read_histograms(path: Path) -> pd.DataFrame:
    """Columns ``second``, ``operation``, ``outcome``, ``clock``, ``bucket``, ``count``.

    Raises:
        RunFilesError: The file is missing, damaged or of another schema.
    """
    return _read(path, HISTOGRAMS_FORMAT)


def _frame(rows: list[tuple[Any, ...]], schema: pa.Schema) -> pd.DataFrame:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema.names)
    arrays = [pa.array(column, type=kind) for column, kind in zip(columns, schema.types, strict=True)]
    frame: pd.DataFrame = pa.Table.from_arrays(arrays, schema=schema).to_pandas()
    return frame


def _write(path: Path, frame: pd.DataFrame, schema: pa.Schema) -> None:
    table = pa.Table.from_pandas(frame, schema=schema, preserve_index=False)
    table = table.replace_schema_metadata({SCHEMA_KEY: str(ARCHIVE_SCHEMA).encode()})
    draft = path.with_suffix(".parquet.part")
    try:
        pq.write_table(table, draft, compression="zstd")
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise LoadError(
            what=f"cannot write {path.name}: {error.strerror or error}",
            where=str(path.parent),
            fix="free some space or choose another directory with --out; "
            "the loaders' own files under load/ hold what was measured",
        ) from error


def _read(path: Path, schema: pa.Schema) -> pd.DataFrame:
    try:
        table = pq.read_table(path)
    except FileNotFoundError as error:
        raise RunFilesError(
            what=f"there is no {path.name}",
            where=str(path.parent),
            fix="name the directory of a run that was measured; `ls runs` lists them",
        ) from error
    except (OSError, pa.ArrowException) as error:
        raise RunFilesError(
            what=f"{path.name} cannot be read: {error}",
            where=str(path.parent),
            fix="the file is damaged; run again",
        ) from error
    found = (table.schema.metadata or {}).get(SCHEMA_KEY, b"none").decode()
    if found != str(ARCHIVE_SCHEMA) or table.schema.names != schema.names:
        raise RunFilesError(
            what=f"{path.name} has schema {found}, this version reads {ARCHIVE_SCHEMA}",
            where=str(path.parent),
            fix="read it with the version of Palier that wrote it, or run again",
        )
    frame: pd.DataFrame = table.to_pandas()
    return frame
