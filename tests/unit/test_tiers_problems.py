"""A broken tiers.yaml is answered with line, column, value and fix; all problems at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from palier.errors import ConfigError
from palier.model.catalogue import Catalogue
from palier.model.parse import load_catalogue, parse_catalogue
from palier.model.tier import DataSpec
from palier.model.variant import Variant

BROKEN = Path(__file__).parents[1] / "fixtures" / "broken_tiers"

TEN_LINES = """\
systems:
  shop:
    scenario: locustfile.py
    journeys:
      browse: {title: Look around, steps: [{operation: home}, {operation: list, think_s: 3}]}
    targets:
      fast: {role: gate, title: Answers in time, metric: response_time, percentile: 0.95,
             comparator: "<", limit: 300, unit: ms}
    tiers:
      small: {url: "http://127.0.0.1:8000", load: {users: 500}}
"""

ONE_PROBLEM = {
    "unknown_key": ("17:9", "unknown key 'limt' in targets.fast", "did you mean 'limit'?"),
    "wrong_unit": ("18:15", "unit 'm' does not fit response_time", "use ms or s"),
    "negative_rate": ("22:44", "requests_per_s: -20 is out of range", "write a number above 0"),
    "percentile_99": ("15:21", "99 is not a fraction between 0 and 1", "write 0.99 for 99 %"),
    "duplicate_id": ("21:7", "'small' is here twice (first on line 20)", "remove or rename"),
    "missing_tier": ("2:3", "systems.shop has no key 'tiers'", "add tiers"),
    "bad_yaml": ("6:20", "not valid YAML", "text that contains ': ' needs quotes"),
    "tab_indent": ("12:1", "a tab in the indentation", "replace the tab with spaces"),
    "unknown_variant": ("23:26", "'rediss' is not a value of variant.cache", "mean 'redis'?"),
    "wrong_type": ("22:23", "'many' is not a number (load.users)", "write a whole number"),
    "empty_file": ("1:1", "the file is empty", "begin with systems:"),
    "cyclic_anchor": ("8:13", "alias *again contains itself", "write the values out"),
}


def error_of(text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        parse_catalogue(text, "my.yaml")
    return caught.value


def lines_of(error: ConfigError) -> list[str]:
    return [line.strip() for line in error.what.splitlines()[1:]]


def changed(old: str, new: str) -> str:
    assert TEN_LINES.count(old) == 1
    return TEN_LINES.replace(old, new)


@pytest.mark.parametrize("name", ONE_PROBLEM)
def test_a_broken_file_gets_one_message_with_its_line_and_fix(name: str) -> None:
    path = BROKEN / f"{name}.yaml"
    place, what, fix = ONE_PROBLEM[name]
    with pytest.raises(ConfigError) as caught:
        load_catalogue(path)
    error = caught.value
    assert error.where == f"{path}:{place}"
    assert what in error.what
    assert fix in error.fix
    assert int(error.exit_code) == 2


def test_all_problems_of_a_file_are_told_at_once_in_the_order_of_its_lines() -> None:
    path = BROKEN / "many_problems.yaml"
    with pytest.raises(ConfigError) as caught:
        load_catalogue(path)
    assert caught.value.what.startswith(f"6 problems in {path}:")
    assert lines_of(caught.value) == [
        f"{path}:12:15: 'gat' is not a value of fast.role — did you mean 'gate'?",
        f'{path}:13:16: fast.title is text, and 5 is not — write "5" in quotes',
        f"{path}:22:23: load.users: 0 is out of range — write a number of 1 or more",
        f"{path}:22:26: unknown key 'concurency' in small.load — did you mean 'concurrency'?",
        f"{path}:23:15: no plan 'pro' in system shop — there is none yet: add the plan",
        f"{path}:24:29: no target 'fst' in system shop — did you mean 'fast'?",
    ]


def test_ten_lines_describe_somebodys_own_service() -> None:
    catalogue = parse_catalogue(TEN_LINES, "my.yaml")
    tier = catalogue.tier("small")
    assert (tier.url, tier.stack, tier.system) == ("http://127.0.0.1:8000", None, "shop")
    assert tier.title == "small"
    assert tier.variant == Variant()
    assert tier.data == DataSpec(tenants=500)
    assert tier.load.offered_per_s == pytest.approx(500 * 0.10 * 10 / 60)
    assert [(target.id, target.role) for target in tier.targets] == [("fast", "gate")]
    assert catalogue.profile("steady").duration_s == 600


def test_the_example_of_the_documentation_is_read() -> None:
    page = BROKEN.parents[2] / "docs" / "own-service.md"
    text = page.read_text(encoding="utf-8")
    [example] = re.findall(r"```yaml\n(# shop\.yaml\n.*?)```", text, flags=re.DOTALL)
    catalogue = parse_catalogue(example, "shop.yaml")
    tier = catalogue.tier("shop-today")
    assert tier.load.offered_per_s == pytest.approx(5)
    assert {target.id for target in tier.targets} == {"orders-p95", "errors"}


def test_an_unknown_tier_is_answered_with_the_nearest() -> None:
    catalogue = parse_catalogue(TEN_LINES, "my.yaml")
    with pytest.raises(ConfigError, match="no tier 'smal'") as caught:
        catalogue.tier("smal")
    assert caught.value.fix == "did you mean 'small'?"
    with pytest.raises(ConfigError, match="no profile 'x'"):
        catalogue.profile("x")
    with pytest.raises(ConfigError, match="no system 'x'"):
        catalogue.system("x")


def test_a_role_changes_a_shared_target_in_one_tier_only() -> None:
    text = TEN_LINES + '      big: {url: "http://b", load: {users: 9}, roles: {fast: goal}}\n'
    catalogue = parse_catalogue(text, "my.yaml")
    assert [catalogue.tier(t).targets[0].role for t in ("small", "big")] == ["gate", "goal"]


UNMEASURED = 'slow: {role: goal, title: T, not_measured: No, comparator: "<", limit: 1, unit: s}'


@pytest.mark.parametrize(
    ("old", "new", "at", "what", "fix"),
    [
        ("{users: 500}", '{users: "500"}', '"500"', "is text ('500')", "remove the quotes"),
        ("{users: 500}", "{users: 5.5}", "5.5", "not a whole number", "write a whole number"),
        ("{users: 500}", "{users: 1_000}", "1_000", "not a number", "without unit or separators"),
        ("{users: 500}", "[500]", "[500]", "small.load is a list", "write its keys: users"),
        ("{users: 500}", "~", "~", "small.load is empty", "write its keys: users"),
        ("limit: 300", "limit: 300ms", "300ms", "'300ms' is not a number", "without unit"),
        ("limit: 300", "limit: .nan", ".nan", "'.nan' is not a number", "write a number"),
        ("limit: 300", "limit: 1e999", "1e999", "1e999 is too large", "write a number"),
        ("percentile: 0.95", "percentile: yes", "yes", "'yes' is not a number", "write a"),
        ('comparator: "<"', "comparator: below", "below", "not a value", "use one of: <, <="),
        ("response_time", "respone_time", "respone", "'respone_time'", "mean 'response_time'?"),
        ("percentile: 0.95,", "", "response_time", "needs a percentile", "percentile: 0.95"),
        ("limit: 300,", "limit: 1, limit_high: 7,", "7,", "has one limit", "comparator: range"),
        ('"<", limit: 300', "range, limit: 3", "range", "two ends", "give limit_high above"),
        ("response_time, percentile: 0.95", "error_ratio", "ms}", "unit 'ms'", "use %"),
        ("metric: response_time", "not_measured: Why", "gate", "would leave every", "make it a"),
        (
            "[{operation: home}, {operation: list, think_s: 3}]",
            "[]",
            "[]",
            "without steps",
            "add a step",
        ),
        ("think_s: 3", "think_ms: 3", "think_ms", "unknown key 'think_ms'", "mean 'think_s'?"),
        ("think_s: 3", "think_s: -1", "-1", "-1 is out of range", "of 0 or more"),
        ("small:", "sm all:", "sm all", "'sm all' is not an id", "use letters, digits"),
        ("small:", "? [a]\n      :", "[a]", "a key must be a word", "write key: value"),
        ("small:", "<<: {}\n      small:", "<<", "merge keys", "write the keys out"),
        ("Look around", "!!str Look", "!!str", "tags are not supported", "remove the tag"),
        ("Look around", "~", "~", "browse.title is empty", "write text"),
        ("Look around", "*nowhere", "*nowhere", "no anchor &nowhere", "none before this line"),
        ('"http://127.0.0.1:8000"', "localhost", "localhost", "not the address", "http://127."),
        ("load: {", "stack: {}, load: {", '"http', "both url and stack", "remove stack"),
        ("load: {", "roles: {fst: goal}, load: {", "fst", "shared target 'fst'", "mean 'fast'?"),
        ("load: {", "targets: {fast: {}}, load: {", "fast: {}", "one of the sys", "roles: {fast"),
        ("load: {", "variant: {caches: none}, load: {", "caches", "'caches'", "mean 'cache'?"),
        ("load: {", "variant: {compression: on}, load: {", "on}, load", "'on'", "true or false"),
        ("load: {", "users_min: 9, users_max: 3, load: {", "9,", "9 is above", "swap"),
        ("load: {", "cost: {low_per_month: 3}, load: {", "3}, load", "currency", "EUR or USD"),
        ("systems:", "systems: {}\nsystem:", "system:", "unknown key", "did you mean 'systems'?"),
        ("systems:", "systems: []\nprofiles:", "[]", "systems is a list", "each under its id"),
    ],
)
def test_each_mistake_has_its_place_and_its_fix(
    old: str, new: str, at: str, what: str, fix: str
) -> None:
    text = changed(old, new)
    before = text[: text.index(at)]
    place = f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"
    error = error_of(text)
    told = f"{error.where}: {error.what} — {error.fix}"
    matching = [line for line in told.splitlines() if what in line]
    assert matching, told
    assert any(f":{place}: " in line and fix in line for line in matching), (place, told)


def test_a_gate_cannot_be_made_of_a_target_that_no_run_measures() -> None:
    text = changed("    tiers:", f"      {UNMEASURED}\n    tiers:")
    error = error_of(text.replace("load: {", "roles: {slow: gate}, load: {"))
    assert "a gate that no run can measure" in error.what
    assert error.where == "my.yaml:11:53"


def test_the_same_tier_in_two_systems_is_told_with_the_first_line() -> None:
    second = TEN_LINES.replace("systems:\n", "").replace("shop:", "other:")
    error = error_of(TEN_LINES + second)
    assert error.what == "tier 'small' is here twice (first on line 10)"
    assert error.where == "my.yaml:19:7"


def test_a_profile_of_nothing_but_warm_up_is_refused() -> None:
    text = TEN_LINES + "profiles:\n  short: {title: Short, duration_s: 5, warmup_s: 5}\n"
    assert "warm-up of 5 s leaves nothing of 5 s" in error_of(text).what


def test_the_words_off_and_none_and_numbers_of_documents_mean_what_they_look_like() -> None:
    variant = "variant: {row_security: off, cache: none}"
    text = changed("load: {", f'{variant}, source: "002", load: {{')
    tier = parse_catalogue(text, "my.yaml").tier("small")
    assert (tier.variant.row_security, tier.variant.cache) == ("off", "none")
    assert tier.source == "002"
    assert 'write "002" in quotes' in error_of(text.replace('"002"', "002")).fix


def test_an_alias_may_stand_for_a_value() -> None:
    text = changed("{users: 500}", "&load {users: 500}")
    text += '      twin: {url: "http://b", load: *load}\n'
    catalogue = parse_catalogue(text, "my.yaml")
    assert catalogue.tier("twin").load == catalogue.tier("small").load


def test_aliases_that_multiply_are_stopped_before_they_fill_the_memory() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "aliases expand to more than" in error_of("\n".join(lines)).what


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_deep_nesting_is_refused_and_does_not_exhaust_the_stack(opening: str) -> None:
    assert "nested more than" in error_of(opening * 5000).what


def test_a_second_document_is_refused() -> None:
    assert error_of(TEN_LINES + "---\n" + TEN_LINES).what == "a second document starts here"


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n", "~", "null"])
def test_a_file_without_content_is_called_empty(text: str) -> None:
    assert error_of(text).what == "the file is empty"


def test_a_byte_that_is_not_utf_8_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "latin1.yaml"
    path.write_bytes(b"systems:\n  caf\xe9: {}\n")
    with pytest.raises(ConfigError, match="byte 0xE9 is not UTF-8") as caught:
        load_catalogue(path)
    assert caught.value.where == f"{path}:2:6"
    assert caught.value.fix == "save the file as UTF-8"


def test_a_control_character_is_told_with_its_place() -> None:
    error = error_of("systems:\n  a\x00b: 1\n")
    assert (error.where, "U+0000" in error.what) == ("my.yaml:2:4", True)


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    for path, reason in ((tmp_path / "none.yaml", "No such file"), (tmp_path, "directory")):
        with pytest.raises(ConfigError, match=reason) as caught:
            load_catalogue(path)
        assert caught.value.where == str(path)
        assert "--tiers" in caught.value.fix


def test_windows_line_ends_and_a_byte_order_mark_are_read() -> None:
    text = "\ufeff" + TEN_LINES.replace("\n", "\r\n")
    assert isinstance(parse_catalogue(text, "my.yaml"), Catalogue)


MOVING = {
    "staged: {stages: []}": ("staged: no stage", "add one"),
    "staged: {stages: [{duration_s: 60, to: 1}]}": ("stages of 60 s in all", "duration_s: 60"),
    "staged: {stages: [{duration_s: 0, to: 1}]}": ("stages of 0 s in all", "a duration"),
    "ramp: {start: 0, end: 0}": ("a level of 0 all the time sends nothing", "raise it"),
    "ramp: {start: -1, end: 1}": ("start: -1 is out of range", "of 0 or more"),
    "sine: {period_s: 60, low: 2, high: 1}": ("low 2 is above high 1", "swap them"),
    "spike: {to: 2, at_s: 590, hold_s: 20}": ("the peak is over after 610 s only", "lengthen"),
    "spike: {to: 2, at_s: 5, hold_s: 0}": ("a peak of 0 s", "give rise_s, hold_s or fall_s"),
    "ramp: {start: 1, end: 2}, sine: {period_s: 60, low: 1, high: 2}": (
        "ramp and sine at once",
        "keep one of them",
    ),
    "trace: {path: x.log}, rate_factor: 2": ("a trace has its own rate", "use speed"),
    "loop: {users: 5, journey: browse}, concurrency: 0.5": ("its own users", "change its users"),
    "loop: {users: 5, journey: browse}, sine: {period_s: 60, low: 1, high: 2}": (
        "users of a loop cannot follow it",
        "use staged, ramp or spike",
    ),
}


@pytest.mark.parametrize("keys", MOVING)
def test_a_profile_that_cannot_be_played_is_told_with_its_fix(keys: str) -> None:
    what, fix = MOVING[keys]
    profile = f"profiles: {{odd: {{title: Odd, duration_s: 600, {keys}}}}}\n"
    error = error_of(profile + TEN_LINES)
    assert what in error.what
    assert fix in error.fix
    assert error.where.startswith("my.yaml:1:")
