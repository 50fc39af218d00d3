"""What should be there, against a database of one row that answers as it likes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from palier.invariants.history import Expected, expectations
from palier.load.writes import Action, Fate, Write

ID = "6f1d1f8e-5a2b-5c07-9d6e-0f5a5b1c7a11"
FATES: tuple[Fate, ...] = ("acknowledged", "refused", "unanswered")


def write(at_ns: int, action: Action, fate: Fate, value: int, *, id_: str | None = ID) -> Write:
    return Write(
        at_ns=at_ns,
        operation=action,
        tenant=0,
        session=1,
        kind="reservation",
        action=action,
        id=id_,
        row={} if action == "delete" else {"voyageurs": value, "day": 1},
        fate=fate,
    )


def allows(expected: Expected, row: dict[str, int] | None) -> bool:
    """Whether an expectation is met by a table that holds ``row``, or nothing."""
    if row is None:
        return expected.presence != "once"
    return (
        expected.presence != "never"
        and all(row[name] == value for name, value in expected.row.items())
        and all(row[name] in values for name, values in expected.maybe.items())
    )


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Write], dict[str, int] | None]:
    """Writes to one row in order, and what a correct database may hold in the end.

    The row is created first. What got no answer is applied at once, never, or after everything:
    the server goes on with a request that was given up.
    """
    row: dict[str, int] | None = {"voyageurs": 0, "day": 1}
    writes = [write(0, "create", "acknowledged", 0)]
    late: list[Write] = []
    for at in range(1, draw(st.integers(1, 6))):
        action: Action = draw(st.sampled_from(["change", "change", "delete"]))
        one = write(at, action, draw(st.sampled_from(FATES)), draw(st.integers(1, 3)))
        if row is None or writes[-1].action == "delete":
            break  # nobody writes to what they asked to delete
        writes.append(one)
        when = "now" if one.fate == "acknowledged" else "never"
        if one.fate == "unanswered":
            when = draw(st.sampled_from(["now", "never", "late"]))
        if when == "late":
            late.append(one)
        elif when == "now":
            row = _applied(row, one)
    for one in draw(st.permutations(late)):
        row = None if row is None else _applied(row, one)
    return writes, row


def _applied(row: dict[str, int], one: Write) -> dict[str, int] | None:
    if one.action == "delete":
        return None
    return {name: int(str(value)) for name, value in {**row, **one.row}.items()}


@given(histories())
def test_whatever_a_correct_database_did_is_allowed(
    history: tuple[list[Write], dict[str, int] | None],
) -> None:
    writes, row = history

    (expected,) = expectations(writes)

    assert allows(expected, row)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_where_every_answer_came_only_the_last_value_is_allowed(values: list[int]) -> None:
    writes = [write(0, "create", "acknowledged", 0)]
    writes += [write(at, "change", "acknowledged", v) for at, v in enumerate(values, start=1)]

    (expected,) = expectations(writes)

    assert [v for v in range(10) if allows(expected, {"voyageurs": v, "day": 1})] == [values[-1]]
    assert not allows(expected, None)


def test_a_refused_creation_is_not_expected_and_one_without_an_answer_is_nameless() -> None:
    refused = write(0, "create", "refused", 1, id_=None)
    unanswered = write(1, "create", "unanswered", 1, id_=None)

    (expected,) = expectations([refused, unanswered])

    assert (expected.id, expected.presence, expected.created) == (None, "at_most_once", True)


def test_of_a_row_that_was_there_before_only_what_was_acknowledged_is_known() -> None:
    (expected,) = expectations([write(0, "change", "unanswered", 4)])

    assert expected.born_with is None
    assert (expected.row, expected.maybe) == ({}, {})
