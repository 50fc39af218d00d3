"""plan.json holds the whole plan: every tier, any profile, any switches."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palier.errors import RunFilesError
from palier.model.catalogue import Catalogue
from palier.model.parse import load_catalogue
from palier.model.plan import RunPlan, make_plan
from palier.model.plan_json import plan_as_json, plan_from_json
from palier.model.variant import override

TIERS = Path(__file__).parents[2] / "tiers.yaml"


@cache
def catalogue() -> Catalogue:
    return load_catalogue(TIERS)


@st.composite
def plans(draw: st.DrawFn) -> RunPlan:
    tier = draw(st.sampled_from(catalogue().tiers()))
    fitting = [one for one in catalogue().profiles if one.system in (None, tier.system)]
    switches = draw(st.sampled_from([[], ["cache=memory"], ["sync=queue", "web_cache=true"]]))
    return make_plan(
        system=catalogue().system(tier.system),
        tier=tier,
        profile=draw(st.sampled_from(fitting)),
        duration_s=draw(st.none() | st.floats(1, 1e5)),
        seed=draw(st.integers(0, 2**63)),
        workers=draw(st.integers(1, 8)),
        variant=override(tier.variant, switches),
        url=draw(st.none() | st.just("http://127.0.0.1:1")),
    )


@given(plan=plans(), digest=st.none() | st.text("0123456789abcdef", min_size=64, max_size=64))
def test_a_plan_read_back_from_its_file_is_the_same_plan(plan: RunPlan, digest: str | None) -> None:
    document = json.loads(json.dumps(plan_as_json(plan, schedule_digest=digest)))
    assert plan_from_json(document) == plan
    assert document.get("schedule_digest") == digest


def test_a_plan_of_another_schema_or_damaged_is_refused_with_its_place() -> None:
    tier = catalogue().tier("lou-0")
    plan = make_plan(
        system=catalogue().system("liveownerunit"),
        tier=tier,
        profile=catalogue().profile("steady"),
        duration_s=None,
        seed=1,
        workers=1,
        variant=tier.variant,
        url=None,
    )
    document = json.loads(json.dumps(plan_as_json(plan)))
    with pytest.raises(RunFilesError, match="schema 99 is not 2"):
        plan_from_json({**document, "schema": 99})
    with pytest.raises(RunFilesError, match="schema None"):
        plan_from_json([])
    document["tier"]["load"]["users"] = "fifty"
    with pytest.raises(RunFilesError) as caught:
        plan_from_json(document, where="runs/x/plan.json")
    assert caught.value.where == "runs/x/plan.json.tier.load.users"
