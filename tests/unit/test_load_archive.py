"""The two Parquet files of a run come back as they were written, or say why not."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from palier.errors import RunFilesError
from palier.load.archive import (
    HISTOGRAM_COLUMNS,
    LEDGER_COLUMNS,
    LEDGER_COUNTS,
    read_histograms,
    read_ledger,
    write_histograms,
    write_ledger,
)
from palier.load.ledger import closes as ledger_closes


def ledger_of(*rows: dict[str, int | str]) -> pd.DataFrame:
    empty = dict.fromkeys(LEDGER_COUNTS, 0)
    return pd.DataFrame([{**empty, **row} for row in rows])


def test_a_ledger_comes_back_sorted_and_equal(tmp_path: Path) -> None:
    later = {"second": 1, "operation": "list", "planned": 2, "started": 2, "succeeded": 2}
    sooner = {"second": 0, "operation": "list", "planned": 1, "skipped": 1}
    write_ledger(tmp_path / "ledger.parquet", ledger_of(later, sooner))

    frame = read_ledger(tmp_path / "ledger.parquet")

    assert frame["second"].tolist() == [0, 1]
    assert frame["planned"].tolist() == [1, 2]
    assert frame["skipped"].tolist() == [1, 0]
    assert frame.columns.tolist() == list(LEDGER_COLUMNS)


def test_the_same_rows_in_any_order_give_the_same_bytes(tmp_path: Path) -> None:
    row = {"operation": "list", "outcome": "succeeded", "clock": "response", "count": 1}
    rows = [{"second": s, "bucket": b, **row} for s in range(3) for b in (7, 2048)]

    for name, ordered in (("a", rows), ("b", rows[::-1])):
        write_histograms(tmp_path / name, pd.DataFrame(ordered))

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert read_histograms(tmp_path / "a")["count"].sum() == 6


def test_no_request_at_all_is_a_valid_archive(tmp_path: Path) -> None:
    write_histograms(tmp_path / "h", pd.DataFrame(columns=list(HISTOGRAM_COLUMNS)))
    assert read_histograms(tmp_path / "h").empty


@pytest.mark.parametrize(
    ("row", "closes"),
    [
        ({"planned": 2, "started": 2, "succeeded": 1, "abandoned": 1}, True),
        ({"planned": 1, "skipped": 1, "skipped_end_of_run": 1}, True),
        ({"planned": 2, "started": 1, "succeeded": 1}, False),
        ({"planned": 1, "started": 1}, False),
        ({"planned": 1, "skipped": 1}, False),
    ],
)
def test_the_identity_is_checked_row_by_row(row: dict[str, int | str], closes: bool) -> None:
    good: dict[str, int | str] = {
        "second": 0, "operation": "a", "planned": 1, "started": 1, "succeeded": 1
    }  # fmt: skip
    assert ledger_closes(ledger_of(good, {"second": 0, "operation": "b", **row})) is closes


def test_two_wrong_rows_do_not_make_a_right_sum() -> None:
    """One row too many and one too few still do not close, although the totals agree."""
    over = {"second": 0, "operation": "a", "planned": 1, "started": 2, "succeeded": 2}
    under = {"second": 1, "operation": "a", "planned": 2, "started": 1, "succeeded": 1}
    assert not ledger_closes(ledger_of(over, under))


def test_a_missing_a_damaged_and_a_foreign_file_each_say_so(tmp_path: Path) -> None:
    with pytest.raises(RunFilesError, match="is missing"):
        read_ledger(tmp_path / "ledger.parquet")

    (tmp_path / "damaged").write_bytes(b"PAR1 and then nothing of use")
    with pytest.raises(RunFilesError, match="cannot be read"):
        read_ledger(tmp_path / "damaged")

    pq.write_table(pa.table({"second": [1]}), tmp_path / "foreign")
    with pytest.raises(RunFilesError, match="schema none"):
        read_histograms(tmp_path / "foreign")

    write_ledger(tmp_path / "ledger", ledger_of({"second": 0, "operation": "a"}))
    with pytest.raises(RunFilesError, match="schema 2 of ledger is not 1"):
        read_histograms(tmp_path / "ledger")

    other = pa.schema([("second", pa.int32())], metadata={"palier_schema": "1"})
    pq.write_table(pa.table({"second": [1]}, schema=other), tmp_path / "other")
    with pytest.raises(RunFilesError, match="the columns of other are not those of schema 1"):
        read_histograms(tmp_path / "other")


def test_a_ledger_of_the_first_schema_is_refused_by_its_number(tmp_path: Path) -> None:
    """It had no columns for what a lost worker and an abort rule leave out."""
    path = tmp_path / "ledger.parquet"
    write_ledger(path, ledger_of({"second": 0, "operation": "a"}))
    table = pq.read_table(path).drop_columns(["skipped_worker_lost", "skipped_aborted"])
    pq.write_table(table.replace_schema_metadata({"palier_schema": "1"}), path)

    with pytest.raises(RunFilesError, match=r"schema 1 of ledger\.parquet is not 2") as caught:
        read_ledger(path)

    assert "another version of Palier" in str(caught.value.fix)
