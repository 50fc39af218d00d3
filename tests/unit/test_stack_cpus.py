"""The division of cores between the load and the system it is sent to."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palier.errors import ConfigError
from palier.stack.cpus import plan_cpus, side_by_side

core_lists = st.lists(st.integers(0, 255), min_size=1, max_size=64, unique=True)


def test_a_single_core_is_shared_and_the_plan_says_so():
    plan = plan_cpus([3])

    assert (plan.generator, plan.system, plan.shared) == ((3,), (3,), True)
    assert "share" in plan.why


def test_of_two_cores_each_side_gets_one():
    plan = plan_cpus([0, 1])

    assert (plan.generator, plan.system, plan.shared) == ((1,), (0,), False)


@given(core_lists.filter(lambda cores: len(cores) > 1))
def test_the_generator_gets_a_quarter_rounded_up_and_no_core_is_lost_or_used_twice(cores):
    plan = plan_cpus(cores)

    assert len(plan.generator) == math.ceil(len(cores) / 4)
    assert sorted(plan.generator + plan.system) == sorted(cores)
    assert plan.system


@given(core_lists.filter(lambda cores: len(cores) > 1), st.data())
def test_the_share_can_be_chosen(cores, data):
    wanted = data.draw(st.integers(1, len(cores) - 1))

    assert len(plan_cpus(cores, generator_cores=wanted).generator) == wanted


@pytest.mark.parametrize("wanted", [-1, 0, 4, 5])
def test_a_share_that_leaves_one_side_without_a_core_is_refused(wanted):
    with pytest.raises(ConfigError, match="choose 1 to 3"):
        plan_cpus([0, 1, 2, 3], generator_cores=wanted)


def test_hardware_threads_of_one_core_stay_on_one_side():
    """Four cores with two threads each, numbered as Linux does: 0 and 4 are one core."""
    siblings = {core: f"{core % 4},{core % 4 + 4}" for core in range(8)}

    ordered = side_by_side(range(8), siblings)

    assert ordered == (0, 4, 1, 5, 2, 6, 3, 7)
    assert plan_cpus(ordered).generator == (3, 7)
