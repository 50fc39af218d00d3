"""FrançaisFluide over HTTP on a real database: corrections, exercises, explanations, quotas."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from app_support import Site, site
from fluide_support import correct, learner, used

from reference_app.fluide.checker.check import check
from reference_app.fluide.checker.rules import RULES
from reference_app.identity.principal import Principal
from reference_app.variant import Variant

pytestmark = pytest.mark.db


@pytest.fixture(scope="module")
def school(fresh_database: Any) -> Iterator[Site]:
    variant = Variant(
        indexes="full", pagination="offset", row_security="wrapped", learning_cache="bounded"
    )
    with fresh_database() as url, site(url, variant) as up:
        yield up


# corrections ------------------------------------------------------------------------------


def test_a_text_is_corrected_kept_listed_and_deleted(school: Site) -> None:
    anna, other = learner(school.world), learner(school.world)

    created = correct(school, anna, "Il à mangé des pomme.")
    body = created.json()
    address = f"/api/corrections/{body['id']}"
    listed = school.call("GET", "/api/corrections", anna).json()

    assert created.status_code == 201
    assert body["corrected"] == "Il a mangé des pommes."
    assert [(one["rule"], one["start"], one["end"]) for one in body["issues"]] == [
        ("a-a-accent", 3, 4),
        ("pluriel", 15, 20),
    ]
    assert school.call("GET", address, anna).json() == body
    assert [(row["id"], row["issue_count"]) for row in listed["items"]] == [(body["id"], 2)]
    assert school.call("GET", address, other).status_code == 404
    assert school.call("DELETE", address, other).status_code == 404
    assert school.call("GET", "/api/corrections", other).json()["items"] == []
    assert school.call("DELETE", address, anna).status_code == 204
    assert school.call("GET", address, anna).status_code == 404
    assert used(school, anna)["corrections"] == 1


def test_a_correction_asked_for_twice_by_its_id_is_made_and_counted_once(school: Site) -> None:
    anna, row_id = learner(school.world), str(uuid.uuid4())

    answers = [correct(school, anna, id=row_id) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 409]
    assert answers[1].json()["type"] == "/problems/id-taken"
    assert used(school, anna)["corrections"] == 1


def test_a_plan_bounds_the_length_of_a_text(school: Site) -> None:
    anna = learner(school.world)

    whole, longer = correct(school, anna, "é" * 1000), correct(school, anna, "é" * 1001)

    assert whole.status_code == 201
    assert (longer.status_code, longer.json()["type"]) == (400, "/problems/text-too-long")
    assert longer.json()["limit"] == 1000
    assert correct(school, learner(school.world, "intensif"), "é" * 10_001).status_code == 400
    assert used(school, anna)["corrections"] == 1


def test_a_correction_belongs_to_an_open_session_of_the_same_learner(school: Site) -> None:
    anna, other = learner(school.world), learner(school.world)
    begun = school.call("POST", "/api/learning-sessions", anna, json={}).json()
    address = f"/api/learning-sessions/{begun['id']}/end"

    inside = correct(school, anna, session_id=begun["id"])
    foreign = correct(school, other, session_id=begun["id"])
    not_theirs = school.call("POST", address, other)
    ended = school.call("POST", address, anna)
    again = school.call("POST", address, anna)
    late = correct(school, anna, session_id=begun["id"])
    listed = school.call("GET", f"/api/corrections?session_id={begun['id']}", anna).json()
    sessions = school.call("GET", "/api/learning-sessions", anna).json()

    assert [inside.status_code, foreign.status_code, late.status_code] == [201, 404, 404]
    assert not_theirs.status_code == 404
    assert ended.status_code == 200
    assert again.json() == ended.json() == sessions["items"][0]
    assert [row["id"] for row in listed["items"]] == [inside.json()["id"]]
    assert used(school, anna)["corrections"] == 1
    assert used(school, other)["corrections"] == 0


def test_only_learners_learn(school: Site) -> None:
    owner = school.world.owner()
    without_a_plan = Principal(school.world.owner().user_id, "learner", None)

    assert correct(school, owner).status_code == 403
    assert school.call("GET", "/api/quota", owner).status_code == 403
    assert school.call("GET", "/api/trips", learner(school.world)).status_code == 403
    assert correct(school, without_a_plan).status_code == 404
    assert school.call("POST", "/api/learning-sessions", without_a_plan, json={}).status_code == 404


# exercises and explanations ---------------------------------------------------------------


def solutions(up: Site) -> dict[str, tuple[str, str]]:
    """(answer, rule) by the id of the exercise."""
    rows = up.world.rows("SELECT id::text, answer, rule FROM exercises")
    return {row_id: (answer, rule) for row_id, answer, rule in rows}


def test_exercises_are_public_and_keep_their_answers_to_themselves(school: Site) -> None:
    everything = school.call("GET", "/api/exercises").json()
    easy = school.call("GET", "/api/exercises?level=A1&rule=elision").json()

    assert len(everything) == len(solutions(school)) > 40
    assert not any("answer" in one for one in everything)
    assert {(one["level"], one["rule"]) for one in easy} == {("A1", "elision")}
    assert [one["level"] for one in everything] == sorted(one["level"] for one in everything)
    one = everything[0]
    assert school.call("GET", f"/api/exercises/{one['id']}", learner(school.world)).json() == one
    assert school.call("GET", f"/api/exercises/{one['id']}").status_code == 401


def test_an_answer_is_judged_explained_and_counted(school: Site) -> None:
    anna = learner(school.world)
    one = school.call("GET", "/api/exercises?rule=genre").json()[0]
    right, _ = solutions(school)[one["id"]]
    (wrong,) = set(one["choices"]) - {right}
    address = f"/api/exercises/{one['id']}/answers"

    good = school.call("POST", address, anna, json={"answer": right})
    bad = school.call("POST", address, anna, json={"answer": wrong})
    nowhere = school.call(
        "POST", f"/api/exercises/{uuid.uuid4()}/answers", anna, json={"answer": "x"}
    )

    assert (good.status_code, good.json()["is_right"]) == (201, True)
    assert (bad.json()["is_right"], bad.json()["right_answer"]) == (False, right)
    assert bad.json()["explanation"] == "genre"
    assert nowhere.status_code == 404
    assert used(school, anna) == {"corrections": 0, "exercises": 2, "explanations": 0}


def test_the_checker_agrees_with_every_exercise(school: Site) -> None:
    """A sentence filled as the exercise wants is right, any other way the rule finds the gap."""
    rules: Counter[str] = Counter()
    for one in school.call("GET", "/api/exercises").json():
        right, rule = solutions(school)[one["id"]]
        filled = one["prompt"].replace("___", right)
        rules[rule] += 1
        assert right in one["choices"]
        assert check(filled).issues == (), one["slug"]
        for wrong in set(one["choices"]) - {right}:
            checked = check(one["prompt"].replace("___", wrong))
            assert {issue.rule for issue in checked.issues} == {rule}, one["slug"]
            assert _plain(checked.corrected) == _plain(filled), one["slug"]
    assert rules.keys() == RULES.keys()


def _plain(text: str) -> str:
    """With ordinary spaces and apostrophes."""
    return text.replace("\u00a0", " ").replace("\u202f", " ").replace("’", "'")


def test_every_rule_is_explained_and_a_reading_is_counted(school: Site) -> None:
    anna = learner(school.world)

    titles = school.call("GET", "/api/explanations").json()
    read = school.call("GET", "/api/explanations/elision", anna)

    assert {one["slug"] for one in titles} == {one["rule"] for one in titles} == RULES.keys()
    assert "h muet" in read.json()["body"]
    assert school.call("GET", "/api/explanations/nothing", anna).status_code == 404
    assert used(school, anna)["explanations"] == 1


# quotas -----------------------------------------------------------------------------------


def test_a_quota_that_is_used_up_says_so_and_until_when(school: Site) -> None:
    anna = learner(school.world)
    for _ in range(10):
        assert school.call("GET", "/api/explanations/genre", anna).status_code == 200

    refused = school.call("GET", "/api/explanations/genre", anna)
    quota = school.call("GET", "/api/quota", anna).json()

    assert refused.status_code == 429
    told = refused.json()
    assert told["type"] == "/problems/quota-reached"
    assert (told["kind"], told["used"], told["limit"]) == ("explanations", 10, 10)
    assert 1 <= int(refused.headers["retry-after"]) <= 24 * 3600
    assert quota["resets_at"].endswith("T00:00:00Z")
    assert quota["quotas"][2] == {"kind": "explanations", "used": 10, "limit": 10}


def test_yesterdays_use_is_not_todays(school: Site) -> None:
    anna = learner(school.world)
    school.world.run(
        "INSERT INTO quota_use (user_id, kind, day, used)"
        " VALUES (%s, 'corrections', (now() AT TIME ZONE 'UTC')::date - 1, 20)",
        anna.user_id,
    )

    assert correct(school, anna).status_code == 201
    assert used(school, anna)["corrections"] == 1


def test_a_plan_that_allows_nothing_allows_nothing(school: Site) -> None:
    anna = learner(school.world)
    plan = uuid.uuid4()
    school.world.run(
        "INSERT INTO learner_plans VALUES (%s, %s, 'Rien', 0, 0, 0, 100)", plan, str(plan)
    )
    school.world.run("UPDATE learners SET plan_id = %s WHERE user_id = %s", plan, anna.user_id)

    assert correct(school, anna).status_code == 429
    assert used(school, anna)["corrections"] == 0


def _64_at_once(up: Site) -> None:
    """20 corrections a day, 3 of them used: of 64 at the same time 17 are made."""
    anna = learner(up.world)
    for _ in range(3):
        correct(up, anna)

    calls = [
        ("POST", "/api/corrections", anna, {"json": {"text": f"Le homme {number}."}})
        for number in range(64)
    ]
    answers = Counter(answer.status_code for answer in up.app.together(calls))

    assert answers == {201: 17, 429: 47}
    assert used(up, anna)["corrections"] == 20
    (kept,) = up.world.rows("SELECT count(*) FROM corrections WHERE user_id = %s", anna.user_id)
    assert kept == (20,)


def test_64_at_once_get_exactly_what_is_left(school: Site) -> None:
    for _ in range(3):
        _64_at_once(school)


@pytest.mark.slow
def test_64_at_once_get_exactly_what_is_left_fifty_times(school: Site) -> None:
    for _ in range(50):
        _64_at_once(school)


def test_a_learner_cannot_write_for_another_past_the_application(school: Site) -> None:
    anna, other = learner(school.world), learner(school.world)
    with psycopg.connect(school.app_url) as connection:
        connection.execute(
            "SELECT set_config('app.user_id', %s, true), set_config('app.role', 'learner', true)",
            [str(anna.user_id)],
        )
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(
                "INSERT INTO quota_use VALUES (%s, 'corrections', current_date, 0)",
                [other.user_id],
            )
