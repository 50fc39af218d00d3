"""Invariants on a real database: whole data holds them, and each way of breaking it is seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from app_support import World, migrate_both

from palier.analysis.invariants import Invariant
from palier.invariants.baseline import Baseline, take_baseline
from palier.invariants.deliveries import DELIVERY_CHECKS
from palier.invariants.groups import GROUP_CHECKS
from palier.invariants.look import look
from palier.invariants.patience import connect, cut_after
from palier.load.writes import Action, Fate, Write, last_line, writes_file
from palier.model.variant import Variant as SwitchValues
from reference_app.identity.principal import Principal
from reference_app.variant import Variant

pytestmark = pytest.mark.db

FIRST, LAST = date(2100, 3, 1), date(2100, 3, 3)


@dataclass
class Run:
    """A database, and what a load generator says it wrote to it."""

    world: World
    folder: Path
    plan: Any
    owner: Principal
    unit: UUID
    baseline: Baseline
    writes: list[Write] = field(default_factory=list)

    def stay(self, **changes: Any) -> dict[str, Any]:
        """The columns of a stay, as a scenario logs them."""
        row = {
            "gite_id": str(self.unit),
            "date_debut": FIRST.isoformat(),
            "date_fin": LAST.isoformat(),
            "client_nom": "Famille Martin",
            "voyageurs": 2,
        }
        return row | changes

    def there(self, row: dict[str, Any]) -> str:
        """Put a stay into the database."""
        return str(
            self.world.reservation(
                self.owner,
                UUID(row["gite_id"]),
                date.fromisoformat(row["date_debut"]),
                date.fromisoformat(row["date_fin"]),
                guest=row["client_nom"],
            )
        )

    def log(
        self,
        action: Action,
        id_: str | None,
        row: dict[str, Any],
        fate: Fate = "acknowledged",
        kind: str = "reservation",
    ) -> None:
        """A line of the loader."""
        self.writes.append(
            Write(
                at_ns=len(self.writes),
                operation=f"{action}_{kind}",
                tenant=0,
                session=len(self.writes),
                kind=kind,
                action=action,
                id=id_,
                row=row,
                fate=fate,
            )
        )

    def look(self, *, lost: bool = False) -> dict[str, Invariant]:
        text = "".join(write.line() for write in self.writes)
        end = "" if lost else last_line(len(self.writes))
        writes_file(self.folder, 0).write_text(text + end)
        found = look(self.world.admin_url, self.plan, baseline=self.baseline, load=self.folder)
        return {one.id: one for one in found.invariants}

    def violated(self) -> list[str]:
        return [one.id for one in self.look().values() if one.state == "violated"]


@pytest.fixture
def run(database: str, tmp_path: Path, make_plan: Callable[..., Any]) -> Iterator[Run]:
    migrate_both(database, Variant(row_security="wrapped"))
    with psycopg.connect(database, autocommit=True) as connection:
        world = World(database, connection)
        owner = world.owner()
        unit = world.unit(owner)
        world.reservation(owner, unit, date(2026, 1, 1), date(2026, 1, 4))
        other = world.owner()
        world.reservation(other, world.unit(other), date(2026, 1, 1), date(2026, 1, 4))
        baseline = take_baseline(database)
        yield Run(world, tmp_path, make_plan(), owner, unit, baseline)


@pytest.fixture
def make_plan() -> Callable[..., Any]:
    import sys

    sys.path.insert(0, str(Path(__file__).parent.parent / "support"))
    from load_plans import journey, plan_of

    def make(**switches: Any) -> Any:
        plan = plan_of(journey("list_units"))
        return replace(plan, workers=1, variant=SwitchValues(row_security="wrapped", **switches))

    return make


def test_data_that_is_as_written_holds_every_invariant(run: Run) -> None:
    kept, changed, gone, seeded = run.stay(), run.stay(), run.stay(), run.stay()
    changed |= {"date_debut": "2100-04-01", "date_fin": "2100-04-03"}
    gone |= {"date_debut": "2100-05-01", "date_fin": "2100-05-03"}
    run.log("create", run.there(kept), kept)
    id_ = run.there(changed)
    run.log("create", id_, changed)
    run.world.run("UPDATE reservations SET voyageurs = 4 WHERE id = %s", id_)
    run.log("change", id_, {"voyageurs": 4})
    run.log("create", id_ := str(uuid4()), gone)
    run.log("delete", id_, {})
    run.log("create", None, seeded | {"date_debut": "2100-06-01"}, "unanswered")
    run.log("create", None, seeded | {"date_debut": "2100-07-01"}, "refused")

    answers = run.look()

    not_held = {one.id: one.state for one in answers.values() if one.state != "held"}
    nothing_of = (
        *("tasks-done-once", "plan-changes-told", "quotas-never-passed"),
        *("quotas-count-what-was-made", *(one.id for one in (*GROUP_CHECKS, *DELIVERY_CHECKS))),
    )
    assert not_held == dict.fromkeys(nothing_of, "not_applicable")
    assert answers["acknowledged-writes"].checked == 3
    assert answers["written-once"].checked == 4
    assert answers["no-overlapping-stays"].checked == 4
    assert answers["no-foreign-rows"].checked > 0
    assert answers["rows-of-one-owner"].checked >= 4


def test_an_acknowledged_write_that_is_not_there_is_seen_and_named(run: Run) -> None:
    id_ = str(uuid4())
    run.log("create", id_, run.stay())

    answers = run.look()

    lost = answers["acknowledged-writes"]
    assert (lost.state, lost.checked, lost.violations) == ("violated", 1, 1)
    assert id_ in lost.examples[0]
    assert "acknowledged and not there (create_reservation of session 0)" in lost.examples[0]
    assert answers["nothing-else-written"].state == "violated"


def test_content_that_differs_from_what_was_written_is_seen_column_by_column(run: Run) -> None:
    id_ = run.there(run.stay())
    run.log("create", id_, run.stay(client_nom="Famille Petit"))
    run.log("change", id_, {"voyageurs": 5})

    lost = run.look()["acknowledged-writes"]

    assert lost.violations == 1
    assert "differs in client_nom, voyageurs" in lost.examples[0]


def test_what_was_deleted_and_is_still_there_is_seen(run: Run) -> None:
    id_ = run.there(run.stay())
    run.log("create", id_, run.stay())
    run.log("delete", id_, {})

    assert "deleted and still there" in run.look()["acknowledged-writes"].examples[0]


def test_a_change_without_an_answer_may_have_been_made_or_not_but_nothing_else(run: Run) -> None:
    id_ = run.there(run.stay())
    run.log("create", id_, run.stay())
    run.log("change", id_, {"voyageurs": 4}, "unanswered")

    assert run.violated() == []
    run.world.run("UPDATE reservations SET voyageurs = 4 WHERE id = %s", id_)
    assert run.violated() == []
    run.world.run("UPDATE reservations SET voyageurs = 3 WHERE id = %s", id_)
    assert run.violated() == ["acknowledged-writes"]


def test_a_creation_without_an_answer_is_there_at_most_once(run: Run) -> None:
    run.log("create", None, run.stay(), "unanswered")
    assert run.violated() == []

    run.there(run.stay())
    assert run.violated() == []

    run.world.run("ALTER TABLE reservations DROP CONSTRAINT ex_reservations_no_overlap")
    run.there(run.stay())
    assert run.violated() == ["written-once", "nothing-else-written", "no-overlapping-stays"]


def test_a_row_that_nobody_wrote_and_one_that_vanished_are_seen(run: Run) -> None:
    run.there(run.stay())
    assert run.violated() == ["nothing-else-written"]

    run.world.run("DELETE FROM reservations WHERE owner_user_id = %s", run.owner.user_id)
    answer = run.look()["nothing-else-written"]
    assert answer.violations == 1
    assert answer.examples[0].startswith("reservation: 1 are there instead of 2")


def test_a_stay_that_moved_to_the_archive_is_still_there_and_in_both_places_is_wrong(
    run: Run,
) -> None:
    id_ = run.there(run.stay())
    run.log("create", id_, run.stay())
    run.world.run("INSERT INTO reservations_archive SELECT *, now() FROM reservations")
    both = run.violated()
    run.world.run("DELETE FROM reservations")
    moved = run.violated()

    assert "live-or-archived" in both
    assert moved == []


def test_overlapping_stays_are_seen_also_when_they_are_no_neighbours(run: Run) -> None:
    run.world.run("ALTER TABLE reservations DROP CONSTRAINT ex_reservations_no_overlap")
    for first, last in (("01", "20"), ("02", "03"), ("10", "11")):
        row = run.stay(date_debut=f"2100-03-{first}", date_fin=f"2100-03-{last}")
        run.log("create", run.there(row), row)

    overlaps = run.look()["no-overlapping-stays"]

    assert (overlaps.state, overlaps.violations) == ("violated", 2)


def test_an_event_of_a_feed_that_became_two_stays_is_seen(run: Run) -> None:
    run.world.run("DROP INDEX uq_reservations_gite_event")
    run.world.run("UPDATE reservations SET ical_uid = 'one', gite_id = gite_id")
    run.world.run(
        "INSERT INTO reservations SELECT gen_random_uuid(), gite_id, owner_user_id,"
        " date_debut + 30, date_fin + 30, client_nom, client_email, voyageurs, plateforme, status,"
        " prix_centimes, ical_uid FROM reservations WHERE owner_user_id = %s",
        run.owner.user_id,
    )

    assert run.look()["one-stay-for-each-feed-event"].violations == 1


def test_a_row_of_another_owner_than_its_gite_is_seen(run: Run) -> None:
    stranger = run.world.owner()
    run.world.run("SET session_replication_role = replica")
    run.world.run("UPDATE reservations SET owner_user_id = %s", stranger.user_id)

    answer = run.look()["rows-of-one-owner"]

    assert answer.violations == 2
    assert "reservations.gite_id" in answer.examples[0]


@pytest.mark.covers("F-30")
def test_a_policy_that_lets_foreign_rows_through_is_seen(run: Run) -> None:
    run.world.run("CREATE POLICY leak ON reservations FOR SELECT TO app_user USING (true)")

    answer = run.look()["no-foreign-rows"]

    assert answer.state == "violated"
    assert "of others in reservations" in answer.examples[0]


def test_a_policy_that_shows_a_guest_other_stays_is_seen(run: Run) -> None:
    id_ = run.there(run.stay())
    run.log("create", id_, run.stay())
    sheet = {"reservation_id": id_}
    run.world.run(
        "INSERT INTO client_access_tokens VALUES (gen_random_uuid(), 'x', %s, %s, %s, 'stay',"
        " now(), now() + interval '1 day')",
        *(id_, run.unit, run.owner.user_id),
    )
    run.log("create", None, sheet, kind="sheet")
    held = run.violated()
    run.world.run("CREATE POLICY leak ON reservations FOR SELECT TO app_guest USING (true)")

    assert held == []
    assert run.violated() == ["guests-see-their-stay"]


def test_without_row_security_there_is_nothing_to_try_out(run: Run) -> None:
    run.plan = replace(run.plan, variant=replace(run.plan.variant, row_security="off"))

    answers = run.look()

    assert answers["no-foreign-rows"].state == "not_applicable"
    assert answers["guests-see-their-stay"].state == "not_applicable"


def test_what_a_lost_loader_wrote_last_is_not_known_and_that_is_said(run: Run) -> None:
    run.there(run.stay())

    answers = run.look(lost=True)

    assert answers["nothing-else-written"].state == "not_checked"
    assert "loader 0" in answers["nothing-else-written"].why
    assert answers["acknowledged-writes"].state == "held"


def test_a_kind_of_write_that_is_not_known_here_is_said_and_not_passed_over(run: Run) -> None:
    run.log("create", str(uuid4()), {"total": 3}, kind="order")

    answer = run.look()["acknowledged-writes"]

    assert (answer.state, "scenario's order" in answer.why) == ("not_checked", True)


def test_a_question_that_the_server_never_answers_ends_by_itself(run: Run) -> None:
    with (
        connect(run.world.admin_url) as waiting,
        pytest.raises(psycopg.OperationalError),
        cut_after(waiting, 0.2),
    ):
        waiting.execute("SELECT pg_sleep(60)")


def test_a_database_that_is_gone_leaves_every_invariant_unchecked(run: Run) -> None:
    writes_file(run.folder, 0).write_text(last_line(0))

    looked = look(
        "postgresql://nobody@127.0.0.1:1/none",
        run.plan,
        baseline=run.baseline,
        load=run.folder,
    )

    (answer,) = looked.invariants
    assert looked.facts == ()
    assert answer.state == "not_checked"
    assert "the database could not be asked" in answer.why


@dataclass
class Queue:
    """Tasks and lines of the log, as a worker would leave them."""

    run: Run

    def task(self, status: str, retries: int = 0, *, good: int = 0, bad: int = 0) -> None:
        owner, world = self.run.owner, self.run.world
        unit = world.unit(owner)
        world.run("UPDATE gites SET ical_url = 'http://calendar.airbnb.example/1.ics'")
        (task,) = world.rows(
            "INSERT INTO sync_queue (task_id, user_id, gite_id, status, retries, completed_at,"
            " failed_at) VALUES (gen_random_uuid(), %s, %s, %s, %s,"
            " CASE WHEN %s = 'completed' THEN now() END, CASE WHEN %s = 'failed' THEN now() END)"
            " RETURNING task_id",
            *(owner.user_id, unit, status, retries, status, status),
        )[0]
        for outcome in ("success",) * good + ("failed",) * bad:
            world.run(
                "INSERT INTO sync_logs (id, task_id, user_id, gite_id, status)"
                " VALUES (gen_random_uuid(), %s, %s, %s, %s)",
                *(task, owner.user_id, unit, outcome),
            )


@pytest.mark.parametrize(
    ("status", "retries", "good", "bad", "holds"),
    [
        ("completed", 0, 1, 0, True),
        ("completed", 2, 1, 2, True),
        ("failed", 3, 0, 4, True),
        ("pending", 0, 0, 0, True),
        ("processing", 3, 0, 3, True),
        ("completed", 0, 2, 0, False),
        ("completed", 0, 0, 0, False),
        ("completed", 1, 1, 0, False),
        ("failed", 2, 0, 3, False),
        ("failed", 3, 1, 4, False),
        ("pending", 4, 0, 4, False),
        ("pending", 0, 1, 0, False),
    ],
)
def test_a_task_is_done_once_or_failed_after_exactly_the_promised_retries(
    run: Run, status: str, retries: int, good: int, bad: int, holds: bool
) -> None:
    Queue(run).task("completed", good=1)
    Queue(run).task(status, retries, good=good, bad=bad)

    answer = run.look()["tasks-done-once"]

    assert (answer.state, answer.checked) == ("held" if holds else "violated", 2)
    if not holds:
        assert f"is {status} after {retries} retries" in answer.examples[0]


def test_of_finished_history_nothing_is_promised_whatever_the_day_of_the_data(run: Run) -> None:
    Queue(run).task("completed")
    Queue(run).task("failed", 1)
    run.world.run("UPDATE sync_queue SET created_at = '2900-01-01', completed_at = '2900-01-01'")
    run.baseline = take_baseline(run.world.admin_url)

    assert run.look()["tasks-done-once"].state == "not_applicable"

    run.world.run("UPDATE sync_queue SET status = 'pending' WHERE status = 'failed'")
    answer = run.look()["tasks-done-once"]
    assert (answer.checked, answer.violations) == (1, 1)


def test_the_staggered_queue_promises_two_retries(run: Run) -> None:
    Queue(run).task("failed", 2, bad=3)
    assert run.violated() == ["tasks-done-once"]

    run.plan = replace(run.plan, variant=replace(run.plan.variant, sync="staggered"))
    assert run.violated() == []


def test_two_unfinished_tasks_of_one_gite_are_seen(run: Run) -> None:
    run.world.run("DROP INDEX uq_sync_queue_gite_unfinished")
    Queue(run).task("pending")
    Queue(run).task("processing")
    run.world.run("UPDATE sync_queue SET gite_id = %s", run.unit)

    assert run.violated() == ["one-task-for-each-unit"]


def test_stays_from_feeds_are_as_many_as_the_log_says(run: Run) -> None:
    run.world.run(
        "INSERT INTO sync_logs (id, user_id, gite_id, status, added)"
        " VALUES (gen_random_uuid(), %s, %s, 'success', 1)",
        *(run.owner.user_id, run.unit),
    )
    assert run.violated() == ["feed-stays-as-logged"]

    id_ = run.there(run.stay())
    run.world.run("UPDATE reservations SET ical_uid = 'one' WHERE id = %s", id_)
    assert run.violated() == []


# learners ---------------------------------------------------------------------------------


def a_learner(run: Run) -> UUID:
    """A learner whose plan allows 20 corrections a day."""
    user_id = uuid4()
    run.world.run(
        "INSERT INTO users (id, email, password_hash, role) VALUES (%s, %s, '', 'learner')",
        user_id,
        f"{user_id}@example.com",
    )
    run.world.run(
        "INSERT INTO learners (user_id, plan_id, level)"
        " SELECT %s, id, 'A1' FROM learner_plans WHERE slug = 'decouverte'",
        user_id,
    )
    return user_id


def corrected(run: Run, learner: UUID) -> None:
    """A correction of today that the loader knows of."""
    row = {"id": str(uuid4()), "text": "Le homme.", "corrected": "L'homme."}
    run.world.run(
        "INSERT INTO corrections (id, user_id, text, corrected, issues, issue_count)"
        " VALUES (%s, %s, %s, %s, '[]', 0)",
        row["id"],
        learner,
        row["text"],
        row["corrected"],
    )
    run.log("create", row["id"], row, kind="correction")


def counted(run: Run, learner: UUID, used: int) -> None:
    run.world.run(
        "INSERT INTO quota_use VALUES (%s, 'corrections', (now() AT TIME ZONE 'UTC')::date, %s)",
        learner,
        used,
    )


def test_quotas_that_are_kept_and_count_what_is_there_hold(run: Run) -> None:
    learner = a_learner(run)
    corrected(run, learner)
    corrected(run, learner)
    counted(run, learner, 2)

    answers = run.look()

    assert answers["quotas-never-passed"].state == "held"
    assert answers["quotas-count-what-was-made"].checked == 2
    assert run.violated() == []


def test_a_quota_that_was_passed_is_seen(run: Run) -> None:
    counted(run, a_learner(run), 21)

    passed = run.look()["quotas-never-passed"]

    assert (passed.state, passed.checked, passed.violations) == ("violated", 1, 1)
    assert "used 21 of 20 corrections" in passed.examples[0]


def test_a_correction_that_nobody_counted_is_seen(run: Run) -> None:
    learner = a_learner(run)
    corrected(run, learner)
    corrected(run, learner)
    counted(run, learner, 1)

    assert "has 2 corrections" in run.look()["quotas-count-what-was-made"].examples[0]
    assert run.violated() == ["quotas-count-what-was-made"]


def test_a_correction_kept_twice_is_seen(run: Run) -> None:
    learner = a_learner(run)
    corrected(run, learner)
    counted(run, learner, 2)
    run.world.run(
        "INSERT INTO corrections (id, user_id, text, corrected, issues, issue_count)"
        " SELECT gen_random_uuid(), user_id, text, corrected, issues, 0 FROM corrections"
    )

    assert run.violated() == ["nothing-else-written"]
