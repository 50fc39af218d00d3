"""From samples to facts, and the file between them."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from palier.analysis.metrics import METRICS
from palier.analysis.units import unit_named
from palier.errors import RunFilesError
from palier.telemetry.database import FinalState, Statement
from palier.telemetry.facts import facts_of
from palier.telemetry.samples import Sample, read_samples, write_samples


def statement(mean_ms: float, calls: int, query: str = "SELECT 1") -> Statement:
    return Statement(
        query=query,
        calls=calls,
        mean_ms=mean_ms,
        total_ms=mean_ms * calls,
        rows=calls,
        blocks_hit=0,
        blocks_read=0,
    )


def final(*statements: Statement) -> FinalState:
    return FinalState(size_bytes=123_000_000, tier1_indexes=4, statements=statements)


SAMPLES = (
    Sample(-1.0, "database", "connections", 99.0),
    Sample(0.0, "postgres", "cpu_cores", 9.0),
    Sample(1.0, "database", "connections", 8.0),
    Sample(1.0, "postgres", "cpu_cores", 0.5),
    Sample(1.0, "machine", "memory_used_ratio", 0.25),
    Sample(2.0, "database", "connections", 12.0),
    Sample(2.0, "postgres", "cpu_cores", 1.5),
    Sample(2.0, "machine", "memory_used_ratio", 0.20),
    Sample(2.0, "app", "cpu_cores", 7.0),
    Sample(3.0, "database", "connections", 77.0),
    Sample(3.0, "postgres", "cpu_cores", 9.0),
)


def by_name(facts):
    return {fact.name: (pytest.approx(fact.value), fact.unit) for fact in facts}


def test_only_the_window_counts_and_rates_belong_to_the_second_before_them():
    facts = facts_of(SAMPLES, None, from_s=0.0, to_s=2.0, system_cores=4)

    assert by_name(facts) == {
        "database_connections_peak": (12.0, "connections"),
        "database_cpu": (1.0 / 4, "ratio"),
        "memory_used": (0.25, "ratio"),
    }


def test_what_was_not_observed_is_no_fact_rather_than_zero():
    assert facts_of((), None, from_s=0, to_s=60, system_cores=2) == ()


def test_the_end_of_the_database_gives_size_indexes_and_the_slowest_statement():
    facts = facts_of(
        (),
        final(statement(2.0, 500), statement(7.5, 10, "SELECT\n  slow"), statement(90.0, 9)),
        from_s=0,
        to_s=60,
        system_cores=2,
    )

    assert by_name(facts) == {
        "database_size": (123e6, "bytes"),
        "tier1_index_count": (4.0, "indexes"),
        "slowest_statement_mean": (7.5, "ms"),
    }
    assert facts[-1].how == "pg_stat_statements, 10 calls of: SELECT slow"


def test_a_long_statement_is_cut_for_people():
    facts = facts_of((), final(statement(1.0, 99, "x" * 500)), from_s=0, to_s=1, system_cores=1)

    assert len(facts[-1].how) < 150


def test_facts_have_the_names_and_units_the_targets_are_judged_by():
    facts = facts_of(SAMPLES, final(statement(1.0, 99)), from_s=0.0, to_s=2.0, system_cores=2)

    assert len(facts) == 6
    for fact in facts:
        assert fact.name in METRICS
        unit_named(fact.unit)


numbers = st.floats(allow_nan=False)
samples = st.lists(
    st.builds(Sample, numbers, st.sampled_from(["app", "machine"]), st.text(), numbers)
)


@given(samples)
def test_samples_come_back_from_their_file_in_order_of_time(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("telemetry") / "telemetry.parquet"

    write_samples(path, rows)

    assert read_samples(path) == tuple(sorted(rows))
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_a_file_of_another_schema_is_refused(tmp_path):
    path = tmp_path / "telemetry.parquet"
    pq.write_table(pa.table({"at_s": [1.0]}), path)

    with pytest.raises(RunFilesError, match="telemetry of schema none, this version reads 1"):
        read_samples(path)


def test_a_missing_or_broken_file_is_an_error_that_names_it(tmp_path):
    path = tmp_path / "telemetry.parquet"
    with pytest.raises(RunFilesError, match="cannot read the telemetry"):
        read_samples(path)

    path.write_text("not parquet")
    with pytest.raises(RunFilesError, match="cannot read the telemetry"):
        read_samples(path)
