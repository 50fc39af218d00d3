"""What a feed does to the bookings of its gîte (B-70), asked for over HTTP on a real database."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from app_support import Site, site
from sync_support import AIRBNB, Platform, Stay, SyncWorld, platform

from reference_app.identity.principal import Principal
from reference_app.variant import Variant

pytestmark = pytest.mark.db

TODAY = date.today()  # noqa: DTZ011 - a day more or less does not matter here
AHEAD = TODAY + timedelta(days=400)


@pytest.fixture(scope="module")
def outside() -> Iterator[Platform]:
    with platform() as running:
        yield running


@pytest.fixture(scope="module")
def up(fresh_database: Any, outside: Platform) -> Iterator[Site]:
    variant = Variant(sync="inline", row_security="wrapped", indexes="full")
    with fresh_database() as url, site(url, variant, calendars=outside.calendars) as running:
        yield running


@dataclass(frozen=True, slots=True)
class House:
    """A gîte with a feed that a test writes itself."""

    site: Site
    outside: Platform
    world: SyncWorld
    owner: Principal
    id: UUID
    address: str

    def lists(self, *stays: Stay) -> None:
        """What the platform lists from now on."""
        self.outside.set_feed(self.address, *stays)

    def sync(self) -> tuple[int, int, int, int]:
        """(added, updated, removed, skipped)."""
        answer = self.site.call("POST", f"/api/units/{self.id}/sync", self.owner)
        assert answer.status_code == 200, answer.text
        counts = answer.json()
        return counts["added"], counts["updated"], counts["removed"], counts["skipped"]

    def stays(self) -> list[tuple[str, date, date, str]]:
        return self.world.stays(self.id)

    def book(self, first: date, last: date, uid: str | None = None, **more: Any) -> UUID:
        """A booking that is there already; ``uid``: it came from a platform once."""
        booked = self.world.reservation(self.owner, self.id, first, last, **more)
        self.world.run("UPDATE reservations SET ical_uid = %s WHERE id = %s", uid, booked)
        return booked

    def change(self, reservation_id: UUID, **fields: Any) -> None:
        path = f"/api/reservations/{reservation_id}"
        answer = self.site.call("PATCH", path, self.owner, json=fields)
        assert answer.status_code == 200, answer.text

    def id_of(self, uid: str) -> UUID:
        query = "SELECT id FROM reservations WHERE gite_id = %s AND ical_uid = %s"
        return UUID(str(self.world.rows(query, self.id, uid)[0][0]))


@pytest.fixture
def house(up: Site, outside: Platform) -> House:
    world = SyncWorld(up.world.admin_url, up.world.connection)
    owner, unit_id, address = world.calendar()
    return House(up, outside, world, owner, unit_id, address)


def stay(uid: str, start: int, nights: int = 3, **more: Any) -> Stay:
    """A stay so many days after ``AHEAD``."""
    first = AHEAD + timedelta(days=start)
    return Stay(uid, first, first + timedelta(days=nights), **more)


def row(listed: Stay, status: str = "confirmed") -> tuple[str, date, date, str]:
    return listed.uid, listed.first, listed.last, status


@pytest.mark.covers("B-70")
def test_a_feed_adds_its_stays_once_and_a_second_time_changes_nothing(house: House) -> None:
    one, two = stay("1@x", 0, summary="Anne  Martin\\, 2"), stay("2@x", 10)
    house.lists(two, one)

    assert house.sync() == (2, 0, 0, 0)
    assert house.stays() == [row(one), row(two)]
    names = house.world.rows(
        "SELECT client_nom, plateforme, owner_user_id FROM reservations WHERE gite_id = %s"
        " ORDER BY date_debut",
        house.id,
    )
    assert names == [
        ("Anne Martin, 2", "airbnb", house.owner.user_id),
        ("Reserved", "airbnb", house.owner.user_id),
    ]
    assert house.sync() == (0, 0, 0, 0)
    house.world.run("UPDATE sync_feeds SET etag = NULL WHERE gite_id = %s", house.id)
    assert house.sync() == (0, 0, 0, 0)
    assert house.stays() == [row(one), row(two)]
    assert [log[:5] for log in house.world.logs(house.id)] == [
        ("success", 2, 0, 0, 0),
        ("success", 0, 0, 0, 0),
        ("success", 0, 0, 0, 0),
    ]


@pytest.mark.covers("B-70")
def test_a_booking_that_came_from_the_platform_before_is_updated_and_not_doubled(
    house: House,
) -> None:
    moved, same = stay("moved@airbnb.example", 0), stay("same@airbnb.example", 20)
    pending = stay("pending@airbnb.example", 40)
    house.book(moved.first + timedelta(days=1), moved.last, moved.uid, platform="airbnb")
    house.book(same.first, same.last, same.uid, platform="airbnb", guest="Zoé Lefèvre")
    house.book(pending.first, pending.first + timedelta(days=9), pending.uid, status="pending")
    house.lists(moved, same, pending)

    assert house.sync() == (0, 2, 0, 0)
    assert house.stays() == [row(moved), row(same), row(pending, "pending")]
    guest = "SELECT client_nom FROM reservations WHERE id = %s"
    assert house.world.rows(guest, house.id_of(same.uid)) == [("Zoé Lefèvre",)]


@pytest.mark.covers("B-70")
def test_stays_that_change_places_both_move(house: House) -> None:
    one, two, three = stay("1", 0), stay("2", 3), stay("3", 6)
    house.lists(one, two, three)
    house.sync()
    ids = [house.id_of(uid) for uid in "123"]

    turned = [
        replace(one, first=two.first, last=two.last),
        replace(two, first=three.first, last=three.last),
        replace(three, first=one.first, last=one.last),
    ]
    house.lists(*turned)

    assert house.sync() == (0, 3, 0, 0)
    assert [house.id_of(uid) for uid in "123"] == ids
    assert sorted(house.stays()) == sorted(map(row, turned))


@pytest.mark.covers("B-70")
def test_a_stay_that_is_gone_or_cancelled_frees_its_nights_and_can_come_back(
    house: House,
) -> None:
    gone, off, kept = stay("gone", 0), stay("off", 10), stay("kept", 20)
    house.lists(gone, off, kept)
    house.sync()

    house.lists(replace(off, more=("STATUS:CANCELLED",)), kept)
    assert house.sync() == (0, 0, 2, 0)
    assert house.stays() == [row(gone, "cancelled"), row(off, "cancelled"), row(kept)]

    house.lists(gone, off, kept)
    assert house.sync() == (0, 2, 0, 0)
    assert house.stays() == [row(gone), row(off), row(kept)]


@pytest.mark.covers("B-70")
def test_what_is_over_is_neither_added_nor_cancelled(house: House) -> None:
    """Platforms stop listing what is over, and the archive may have it by now."""
    past = Stay("past", TODAY - timedelta(days=40), TODAY - timedelta(days=33))
    house.lists(past)
    assert house.sync() == (0, 0, 0, 0)
    assert house.stays() == []

    running = Stay("running", TODAY - timedelta(days=3), TODAY + timedelta(days=3))
    house.lists(running)
    assert house.sync() == (1, 0, 0, 0)
    house.lists()
    assert house.sync() == (0, 0, 0, 0)
    assert house.stays() == [row(running)]


@pytest.mark.covers("B-70")
def test_bookings_of_the_owner_and_of_other_platforms_are_never_touched(house: House) -> None:
    day = AHEAD
    house.book(day, day + timedelta(days=2))
    house.book(day + timedelta(days=5), day + timedelta(days=7), "7@booking", platform="booking")
    before = house.world.rows("SELECT * FROM reservations WHERE gite_id = %s ORDER BY id", house.id)
    listed = stay("1", 20)

    house.lists(listed)
    house.sync()
    house.lists()
    assert house.sync() == (0, 0, 1, 0)

    after = house.world.rows("SELECT * FROM reservations WHERE gite_id = %s ORDER BY id", house.id)
    assert [kept for kept in after if kept in before] == before


@pytest.mark.covers("B-70")
def test_what_the_owner_changed_stands_until_the_platform_changes_the_same_stay(
    house: House,
) -> None:
    one, two = stay("1", 0), stay("2", 10)
    house.lists(one, two)
    house.sync()
    longer = one.last + timedelta(days=2)
    house.change(house.id_of("1"), date_fin=str(longer), client_nom="Anne")
    house.change(house.id_of("2"), status="cancelled")

    house.lists(one, two, stay("3", 30))
    assert house.sync() == (1, 0, 0, 0)
    assert house.stays()[:2] == [("1", one.first, longer, "confirmed"), row(two, "cancelled")]

    moved = replace(one, last=one.last + timedelta(days=1))
    again = replace(two, last=two.last + timedelta(days=1))
    house.lists(moved, again)
    assert house.sync() == (0, 2, 1, 0)
    assert house.stays()[:2] == [row(moved), row(again)]


@pytest.mark.covers("B-70", "B-71")
def test_nights_that_are_taken_are_skipped_told_once_and_tried_again(house: House) -> None:
    taken, free, moving = stay("taken", 0), stay("free", 10), stay("moving", 20)
    own = house.book(taken.first + timedelta(days=1), taken.last + timedelta(days=4))
    house.lists(taken, free, moving)

    assert house.sync() == (2, 0, 0, 1)
    assert house.sync() == (0, 0, 0, 1)
    assert house.stays() == [row(free), row(moving)]
    notices = "SELECT title, body FROM notifications WHERE user_id = %s ORDER BY created_at, id"
    assert house.world.rows(notices, house.owner.user_id) == [
        (
            "Double booking: Les Tilleuls",
            "The calendar of airbnb has stays on nights that are taken:"
            f" {taken.first} to {taken.last}",
        )
    ]

    clashing = replace(moving, first=taken.last, last=taken.last + timedelta(days=1))
    house.lists(taken, free, clashing)
    assert house.sync() == (0, 0, 0, 2)
    assert house.stays() == [row(free), row(moving, "cancelled")]
    assert len(house.world.rows(notices, house.owner.user_id)) == 2

    house.change(own, status="cancelled")
    assert house.sync() == (1, 1, 0, 0)
    assert house.stays() == [row(taken), row(clashing), row(free)]


@pytest.mark.covers("B-70")
def test_of_two_events_that_overlap_in_one_feed_the_known_one_stays(house: House) -> None:
    known = stay("known", 5, nights=5)
    house.lists(known)
    house.sync()

    house.lists(stay("earlier", 3, nights=4), known)
    assert house.sync() == (0, 0, 0, 2)
    assert house.stays() == [row(known)]


@pytest.mark.covers("B-70")
def test_another_address_is_another_calendar_and_cancels_nothing(house: House) -> None:
    listed = stay("1", 0)
    house.lists(listed)
    house.sync()
    other = f"http://{AIRBNB}/{uuid.uuid4()}.ics"
    answer = house.site.call(
        "PATCH", f"/api/units/{house.id}", house.owner, json={"ical_url": other}
    )
    assert answer.status_code == 200, answer.text
    house.outside.set_feed(other, stay("2", 10))

    assert house.sync() == (1, 0, 0, 0)
    assert house.stays() == [row(listed), row(stay("2", 10))]


@pytest.mark.covers("B-70")
@pytest.mark.parametrize("kind", ["truncated", "html", "bad-date", "no-uid", "backwards"])
def test_a_feed_that_cannot_be_trusted_changes_nothing_and_is_logged(
    house: House, kind: str
) -> None:
    listed = stay("1", 0)
    house.lists(listed)
    house.sync()
    bad = f"http://{AIRBNB}/malformed/{kind}/1.ics"
    house.world.run("UPDATE gites SET ical_url = %s WHERE id = %s", bad, house.id)

    answer = house.site.call("POST", f"/api/units/{house.id}/sync", house.owner)

    assert answer.status_code == 502
    assert answer.json()["type"] == "/problems/calendar-unavailable"
    assert house.stays() == [row(listed)]
    (status, *_, error) = house.world.logs(house.id)[-1]
    assert (status, error) == ("failed", answer.json()["detail"])


@pytest.mark.covers("B-70", "B-71")
@pytest.mark.parametrize(
    "repetitions", [3, pytest.param(50, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
)
def test_sixty_four_writers_on_one_gite_leave_no_overlap_and_lose_nothing(
    house: House, repetitions: int
) -> None:
    """Syncs of a feed that keeps changing, bookings and changes by the owner, all at once."""
    chance = random.Random(repetitions)
    for _ in range(repetitions):
        offsets = chance.sample(range(0, 120, 6), 12)
        listed = [
            stay(f"{number}@x", offset, nights=chance.randint(1, 6))
            for number, offset in enumerate(offsets)
        ]
        house.lists(*listed)
        known = house.world.rows("SELECT id FROM reservations WHERE gite_id = %s", house.id)
        calls: list[tuple[str, str, Principal | None, dict[str, Any]]] = [
            ("POST", f"/api/units/{house.id}/sync", house.owner, {}) for _ in range(8)
        ]
        for number in range(64 - len(calls)):
            first = AHEAD + timedelta(days=chance.randint(0, 125))
            nights = {
                "date_debut": str(first),
                "date_fin": str(first + timedelta(days=chance.randint(1, 5))),
            }
            if known and number % 3 == 0:
                path = f"/api/reservations/{chance.choice(known)[0]}"
                calls.append(("PATCH", path, house.owner, {"json": nights}))
            else:
                new = {"gite_id": str(house.id), "client_nom": "Anne Martin", **nights}
                calls.append(("POST", "/api/reservations", house.owner, {"json": new}))
        chance.shuffle(calls)
        answers = house.site.app.together(calls)

        expected = {
            "/sync": {200},
            "POST": {201, 409},
            "PATCH": {200, 409},
        }
        for (method, path, *_), answer in zip(calls, answers, strict=True):
            kind = "/sync" if path.endswith("/sync") else method
            assert answer.status_code in expected[kind], answer.text
        assert _overlaps(house) == []
        created = {answer.json()["id"] for answer in answers if answer.status_code == 201}
        found = house.world.rows("SELECT id FROM reservations WHERE gite_id = %s", house.id)
        assert created <= {str(row[0]) for row in found}
    doubled = "SELECT ical_uid FROM reservations WHERE gite_id = %s AND ical_uid IS NOT NULL"
    uids = house.world.rows(doubled, house.id)
    assert len(uids) == len(set(uids))


def _overlaps(house: House) -> list[tuple[Any, ...]]:
    return house.world.rows(
        "SELECT a.id, b.id FROM reservations a JOIN reservations b USING (gite_id)"
        " WHERE a.gite_id = %s AND a.id < b.id AND a.status <> 'cancelled'"
        " AND b.status <> 'cancelled' AND daterange(a.date_debut, a.date_fin)"
        " && daterange(b.date_debut, b.date_fin)",
        house.id,
    )
