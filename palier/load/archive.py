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

LEDGER_SCHEMA: Final = 2
"""2: skips for the reasons ``worker_lost`` and ``aborted`` have columns."""

HISTOGRAMS_SCHEMA: Final = 1

LEDGER_FILE: Final = "ledger.parquet"
HISTOGRAMS_FILE: Final = "histograms.parquet"

LEDGER_COUNTS: Final = (
    "planned",
    "started",
    *OUTCOMES,
    "skipped",
    *(f"skipped_{reason}" for reason in SKIP_REASONS),
)

_SCHEMA_KEY: Final = b"palier_schema"

_LEDGER: Final = pa.schema(
    [
        ("second", pa.int32()),
        ("operation", pa.string()),
        *((name, pa.int64()) for name in LEDGER_COUNTS),
    ],
    metadata={_SCHEMA_KEY: str(LEDGER_SCHEMA)},
)
_HISTOGRAMS: Final = pa.schema(
    [
        ("second", pa.int32()),
        ("operation", pa.string()),
        ("outcome", pa.string()),
        ("clock", pa.string()),
        ("bucket", pa.int32()),
        ("count", pa.int64()),
    ],
    metadata={_SCHEMA_KEY: str(HISTOGRAMS_SCHEMA)},
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
    table = pa.Table.from_pandas(ordered, schema=schema, preserve_index=False)
    # from_pandas adds its own metadata; ours alone keeps equal runs byte for byte equal.
    table = table.replace_schema_metadata(schema.metadata)
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
    wanted = schema.metadata[_SCHEMA_KEY].decode("ascii")
    found = (table.schema.metadata or {}).get(_SCHEMA_KEY, b"none").decode("ascii", "replace")
    if found != wanted:
        raise RunFilesError(
            what=f"schema {found} of {path.name} is not {wanted}",
            where=str(path),
            fix="another version of Palier wrote this run: judge it by that one, or run again",
        )
    if not table.schema.equals(schema, check_metadata=False):
        raise RunFilesError(
            what=f"the columns of {path.name} are not those of schema {wanted}",
            where=str(path),
            fix="the file is damaged; run again",
        )
    frame: pd.DataFrame = table.to_pandas()
    return frame
