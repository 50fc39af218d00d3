"""ledger.parquet and histograms.parquet: what the load was and how long it took, on disk.

Both files hold whole numbers and names only, sorted, so equal runs give equal files; each carries
its schema version as ``palier_schema``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from palier.errors import RunFilesError
from palier.load.outcome import OUTCOMES, SKIP_REASONS

ARCHIVE_SCHEMA: Final = 1

LEDGER_FILE: Final = "ledger.parquet"
HISTOGRAMS_FILE: Final = "histograms.parquet"

LEDGER_COUNTS: Final = (
    "planned",
    "started",
    *OUTCOMES,
    "skipped",
    *(f"skipped_{reason}" for reason in SKIP_REASONS),
)

_SCHEMA_KEY = b"palier_schema"

_LEDGER = pa.schema(
    [
        ("second", pa.int32()),
        ("operation", pa.string()),
        *((name, pa.int64()) for name in LEDGER_COUNTS),
    ]
)
_HISTOGRAMS = pa.schema(
    [
        ("second", pa.int32()),
        ("operation", pa.string()),
        ("outcome", pa.string()),
        ("clock", pa.string()),
        ("bucket", pa.int32()),
        ("count", pa.int64()),
    ]
)

LEDGER_COLUMNS: Final = tuple(_LEDGER.names)
HISTOGRAM_COLUMNS: Final = tuple(_HISTOGRAMS.names)


def write_ledger(path: Path, ledger: pd.DataFrame) -> None:
    """Write ``ledger.parquet``; the file is whole or not there."""
    _write(path, ledger, _LEDGER)


def write_histograms(path: Path, histograms: pd.DataFrame) -> None:
    """Write ``histograms.parquet``; the file is whole or not there."""
    _write(path, histograms, _HISTOGRAMS)


def read_ledger(path: Path) -> pd.DataFrame:
    """Requests by planned second and operation, one row a pair: columns of ``LEDGER_COLUMNS``.

    Raises:
        RunFilesError: The file is missing, damaged or of another schema.
    """
    return _read(path, _LEDGER)


def read_histograms(path: Path) -> pd.DataFrame:
    """Durations by second of the intended start: columns of ``HISTOGRAM_COLUMNS``.

    Raises:
        RunFilesError: The file is missing, damaged or of another schema.
    """
    return _read(path, _HISTOGRAMS)


def _write(path: Path, frame: pd.DataFrame, schema: pa.Schema) -> None:
    keys = [name for name in schema.names if name not in (*LEDGER_COUNTS, "count")]
    ordered = frame[schema.names].sort_values(keys, kind="stable", ignore_index=True)
    stamped = schema.with_metadata({_SCHEMA_KEY: str(ARCHIVE_SCHEMA).encode()})
    table = pa.Table.from_pandas(ordered, schema=stamped, preserve_index=False)
    # from_pandas adds its own metadata; ours alone keeps equal runs byte for byte equal.
    table = table.replace_schema_metadata(stamped.metadata)
    unfinished = path.with_name(path.name + ".part")
    pq.write_table(
        table,
        unfinished,
        compression="zstd",
        # Hardly two buckets are equal, so a dictionary of them would be as long as they are; of
        # numbers of one size the high bytes are alike, and lie side by side this way.
        use_dictionary=[column for column in schema.names if column != "bucket"],
        column_encoding={"bucket": "BYTE_STREAM_SPLIT"} if "bucket" in schema.names else None,
    )
    unfinished.replace(path)


def _read(path: Path, schema: pa.Schema) -> pd.DataFrame:
    try:
        # Not by path alone: a directory of that name would be read as a data set.
        with path.open("rb") as file:
            table = pq.read_table(file)
    except FileNotFoundError as error:
        raise RunFilesError(
            what=f"{path.name} is missing",
            where=str(path),
            fix="give the directory of a run that ended; one that was killed may have none",
        ) from error
    except (pa.ArrowException, OSError) as error:
        raise RunFilesError(
            what=f"{path.name} cannot be read: {error}",
            where=str(path),
            fix="the file is damaged; run again",
        ) from error
    found = (table.schema.metadata or {}).get(_SCHEMA_KEY, b"none").decode("ascii", "replace")
    if found != str(ARCHIVE_SCHEMA) or not table.schema.equals(schema, check_metadata=False):
        raise RunFilesError(
            what=f"schema {found} of {path.name} is not {ARCHIVE_SCHEMA}, or its columns differ",
            where=str(path),
            fix="the run was written by another version of Palier; run again",
        )
    frame: pd.DataFrame = table.to_pandas()
    return frame
