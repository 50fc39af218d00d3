"""Whatever is in the file: a catalogue or one readable error, never a crash."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from palier.errors import ConfigError
from palier.model.catalogue import Catalogue
from palier.model.parse import load_catalogue, parse_catalogue

TIERS = Path(__file__).parents[2] / "tiers.yaml"

PLACE = re.compile(r"my\.yaml:\d+:\d+")


def check(text: str) -> None:
    """A catalogue, or an error that names a line and a fix."""
    error: ConfigError | None = None
    try:
        outcome: object = parse_catalogue(text, "my.yaml")
    except ConfigError as raised:
        error = raised
        outcome = None
    if error is None:
        assert isinstance(outcome, Catalogue)
        return
    assert PLACE.search(f"{error.where} {error.what}")
    assert error.fix
    for line in error.what.splitlines()[1:]:
        assert line.strip()


@cache
def excerpt() -> str:
    """One plan, one journey, some targets, two tiers: small, so that mutations hit something."""
    document = yaml.safe_load(TIERS.read_text(encoding="utf-8"))
    system = document["systems"]["liveownerunit"]
    system["targets"] = {k: v for k, v in system["targets"].items() if k in ("T-52", "T-130")}
    system["tiers"] = {k: v for k, v in system["tiers"].items() if k in ("lou-0", "lou-4")}
    for tier in system["tiers"].values():
        tier["targets"] = dict(list(tier["targets"].items())[:2])
        tier.pop("triggers")
        tier.get("roles", {}).pop("T-131", None)
    system.pop("triggers")
    small = {"profiles": document["profiles"], "systems": {"liveownerunit": system}}
    return str(yaml.safe_dump(small, allow_unicode=True, sort_keys=False))


def test_the_excerpt_is_sound_before_it_is_mutated() -> None:
    assert isinstance(parse_catalogue(excerpt(), "my.yaml"), Catalogue)


NOISE = st.sampled_from(
    (
        *("\t", "\n", " ", "  ", ":", ": ", "- ", "[", "]", "{", "}", '"', "'", "|", ">", ","),
        *("&a ", "*a", "!!x ", "#", "%", "@", "`", "?", "---", "...", "<<: *a", "\r"),
        *("\x00", "é", "\ufeff", "\u2028", "\ud800"),
        *("99", "-1", "0", "1e999", ".nan", "null", "true", "lou-0", "9" * 30),
    )
)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_mutated_file_is_read_or_refused(data: st.DataObject) -> None:
    text = excerpt()
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.sampled_from([0, 0, 1, 2, 5, 40, 400]))
        text = text[:at] + data.draw(NOISE | st.just("")) + text[at + cut :]
    check(text)


KEYS = st.sampled_from(
    (
        *("systems", "tiers", "targets", "journeys", "steps", "load", "users", "plans", "limits"),
        *("profiles", "variant", "cache", "url", "roles", "plan", "triggers", "target", "id", "a"),
    )
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=3), inner),
    max_leaves=15,
)


@settings(max_examples=150, deadline=None)
@given(VALUES)
def test_any_yaml_value_is_read_or_refused(value: object) -> None:
    check(yaml.safe_dump(value, allow_unicode=True))


@settings(max_examples=40, deadline=None)
@given(VALUES)
def test_any_value_at_any_place_of_a_sound_file_is_read_or_refused(value: object) -> None:
    document = yaml.safe_load(excerpt())
    system = document["systems"]["liveownerunit"]
    for name in system:
        check(json.dumps({"systems": {"s": {**system, name: value}}}))
    for name in system["tiers"]["lou-4"]:
        tier = {**system["tiers"]["lou-4"], name: value}
        check(json.dumps({"systems": {"s": {**system, "tiers": {"t": tier}}}}))


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60) | st.text(alphabet="[]{}:-&*a \n\t\"'|>", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    check(text)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(content=st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "my.yaml"
    path.write_bytes(content)
    refused: ConfigError | None = None
    try:
        load_catalogue(path)
    except ConfigError as error:
        refused = error
    assert refused is not None, "sixty random bytes are no ladder"
    assert refused.fix
