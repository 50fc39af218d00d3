"""Values survive the way through JSON, whatever they hold."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palier.errors import RunFilesError
from palier.model.jsonvalue import from_jsonable, to_jsonable


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    name: str
    number: float | None = None
    kind: Literal["a", "b"] = "a"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    leaves: tuple[Leaf, ...]
    pairs: tuple[tuple[str, int], ...]
    best: Leaf | None
    flag: bool
    mixed: int | float | str | None


finite = st.floats(allow_nan=False, allow_infinity=False)
leaves = st.builds(
    Leaf, name=st.text(), number=st.none() | finite, kind=st.sampled_from(["a", "b"])
)
trees = st.builds(
    Tree,
    leaves=st.lists(leaves, max_size=3).map(tuple),
    pairs=st.lists(st.tuples(st.text(), st.integers()), max_size=3).map(tuple),
    best=st.none() | leaves,
    flag=st.booleans(),
    mixed=st.none() | st.integers() | finite | st.text(),
)


@given(trees)
def test_a_value_read_back_from_json_is_the_same_value(tree: Tree) -> None:
    document = json.loads(json.dumps(to_jsonable(tree)))
    back = from_jsonable(Tree, document)
    assert back == tree
    assert type(back.mixed) is type(tree.mixed)


scalars = st.none() | st.booleans() | st.integers() | finite | st.text(max_size=5)
documents = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["leaves", "pairs", "best", "flag", "mixed", "name", "x"]), inner
        )
    ),
    max_leaves=12,
)


@given(documents)
def test_any_other_document_is_refused_with_its_place_and_never_crashes(document: object) -> None:
    refused: RunFilesError | None = None
    try:
        value = from_jsonable(Tree, document, where="findings.json")
    except RunFilesError as error:
        refused = error
    assert isinstance(value, Tree) if refused is None else refused.where.startswith("findings")


def test_a_number_that_is_not_finite_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="None for 'no number'"):
        to_jsonable(Leaf(name="x", number=math.nan))


def test_true_is_not_a_number_and_one_is_not_true() -> None:
    with pytest.raises(RunFilesError, match="True is not float"):
        from_jsonable(Leaf, {"name": "x", "number": True})
    with pytest.raises(RunFilesError, match=r"1 is not bool"):
        from_jsonable(Tree, {"leaves": [], "pairs": [], "best": None, "flag": 1, "mixed": None})


def test_unknown_and_missing_keys_are_told_together() -> None:
    with pytest.raises(RunFilesError, match="unknown key 'nam', missing key 'name'"):
        from_jsonable(Leaf, {"nam": "x"})
    assert from_jsonable(Leaf, {"schema": 1, "name": "x"}) == Leaf(name="x")
