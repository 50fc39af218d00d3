"""`palier selftest` as a user calls it."""

from __future__ import annotations

import pytest
from command_line import CommandLine

pytestmark = pytest.mark.e2e


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_the_self_test_certifies_this_machine_in_about_a_minute(palier: CommandLine) -> None:
    """On a busy machine it may find that nothing can be relied on: 4, and it says so."""
    ended = palier.run("selftest", "--json")

    document = ended.document
    assert ended.exit_code in (0, 4), ended.stderr
    true = all(
        one["error_s"] is not None and abs(one["error_s"]) <= one["allowed_s"]
        for one in document["percentiles"]
    )
    assert (ended.exit_code == 0) == (true and document["rate_per_s"] > 0)
    assert [one["fraction"] for one in document["percentiles"]] == [0.5, 0.95, 0.99, 0.999]
    assert document["steps"]
    assert document["machine"]["palier"]
    assert bool(list(palier.home.glob("selftest/*.json"))) == (ended.exit_code == 0)
