"""Calendar synchronisation with everything real: platforms, workers and schedulers as processes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import httpx
import psycopg
from app_support import World, migrate_both, worker_login

from palier.stack.calendar_platform.feeds import PLATFORM_OF_HOST
from reference_app.identity.principal import Principal
from reference_app.sync.calendars import Calendars
from reference_app.variant import Variant

DEADLINE_S = 40.0
HOSTS = frozenset(PLATFORM_OF_HOST)
AIRBNB = "calendar.airbnb.example"

Found = TypeVar("Found")


def wait_for(look: Callable[[], Found | None], what: str) -> Found:
    """Wait until there is something to be seen."""
    deadline = time.monotonic() + DEADLINE_S
    while not (found := look()):
        assert time.monotonic() < deadline, what
        time.sleep(0.005)
    return found


@dataclass(frozen=True, slots=True)
class Process:
    """A process of ours and what it has said."""

    popen: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def wait_until_it_says(self, words: str, times: int = 1) -> None:
        def look() -> bool:
            code = self.popen.poll()
            assert code is None, f"ended with {code}: {self.said()}"
            return self.said().count(words) >= times

        wait_for(look, f"no {words!r} in {self.said()}")

    def kill(self) -> None:
        """SIGKILL, as a crash or the kernel would."""
        self.popen.kill()
        self.popen.wait(DEADLINE_S)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end; its exit code."""
        self.popen.send_signal(number)
        return self.popen.wait(DEADLINE_S)


@contextmanager
def process(
    module: str, *arguments: str, env: Mapping[str, str] | None = None
) -> Iterator[Process]:
    """``python -m module`` until the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("wb") as output:
            popen = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **(env or {})},
                cwd=Path(__file__).parents[2],
            )
        try:
            yield Process(popen, log)
        finally:
            popen.kill()
            popen.wait(DEADLINE_S)


@dataclass(frozen=True, slots=True)
class Platform:
    """The calendar platforms, played by one process."""

    url: str
    client: httpx.Client = field(repr=False)

    @property
    def calendars(self) -> Calendars:
        return Calendars(HOSTS, self.url)

    def counts(self) -> dict[str, Any]:
        return dict(self.client.get("/counts").json())

    def asked(self, address: str) -> int:
        """How often a feed was asked for."""
        where = address.removeprefix("http://")
        return int(self.counts()["by_path"].get(where, 0))

    def strangers(self) -> dict[str, int]:
        """Requests that should never have been made."""
        return dict(self.counts()["strangers"])

    def release(self, name: str) -> None:
        self.client.post(f"/release/{name}").raise_for_status()

    def wait_until_held(self, name: str, times: int = 1) -> None:
        wait_for(lambda: self.counts()["holding"].get(name, 0) == times, f"{name} is not asked for")

    def set_feed(self, address: str, *stays: Stay) -> None:
        """From now on this is what the address answers."""
        self.set_text(address, feed(*stays))

    def set_text(self, address: str, text: str) -> None:
        where = address.removeprefix("http://")
        self.client.put(f"/feeds/{where}", content=text.encode()).raise_for_status()


@contextmanager
def platform(seed: int = 1, env: Mapping[str, str] | None = None) -> Iterator[Platform]:
    """The platforms on a port of their own."""
    module = "palier.stack.calendar_platform"
    with process(module, "--port", "0", "--seed", str(seed), env=env) as running:
        running.wait_until_it_says("calendar platform ready")
        url = running.said().split("ready: ")[1].split()[0]
        with httpx.Client(base_url=url, trust_env=False, timeout=DEADLINE_S) as client:
            yield Platform(url, client)


@dataclass(frozen=True, slots=True)
class Stay:
    """A stay as a platform lists it."""

    uid: str
    first: date
    last: date
    summary: str = "Reserved"
    more: Sequence[str] = ()


def feed(*stays: Stay) -> str:
    """The text of a feed."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN"]
    for stay in stays:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{stay.uid}",
            f"DTSTART;VALUE=DATE:{stay.first:%Y%m%d}",
            f"DTEND;VALUE=DATE:{stay.last:%Y%m%d}",
            f"SUMMARY:{stay.summary}",
            *stay.more,
            "END:VEVENT",
        ]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


@dataclass(frozen=True, slots=True)
class SyncWorld(World):
    """A database with calendars."""

    worker_url: str = ""

    def calendar(
        self, owner: Principal | None = None, path: str = "", host: str = AIRBNB
    ) -> tuple[Principal, UUID, str]:
        """A gîte with a feed: its owner, its id, the feed's address.

        Args:
            path: ``/slow/9/`` and the like; see the platform.
        """
        owner = owner or self.owner()
        unit_id = self.unit(owner)
        address = f"http://{host}/{path}{unit_id}.ics"
        self.run("UPDATE gites SET ical_url = %s WHERE id = %s", address, unit_id)
        return owner, unit_id, address

    def task(self, owner: Principal, unit_id: UUID, priority: int = 2) -> UUID:
        """A pending task."""
        task_id = uuid.uuid4()
        self.run(
            "INSERT INTO sync_queue (task_id, user_id, gite_id, priority) VALUES (%s, %s, %s, %s)",
            *(task_id, owner.user_id, unit_id, priority),
        )
        return task_id

    def task_row(self, task_id: UUID) -> dict[str, Any]:
        with self.connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
            cursor.execute("SELECT * FROM sync_queue WHERE task_id = %s", [task_id])
            row = cursor.fetchone()
        assert row is not None
        return row

    def wait_for_status(self, task_id: UUID, status: str) -> dict[str, Any]:
        wait_for(
            lambda: self.task_row(task_id)["status"] == status,
            f"{task_id} does not become {status}: {self.task_row(task_id)}",
        )
        return self.task_row(task_id)

    def stays(self, unit_id: UUID) -> list[tuple[Any, ...]]:
        """(uid, first, last, status) of a gîte's bookings that came by a feed, by day."""
        return self.rows(
            "SELECT ical_uid, date_debut, date_fin, status FROM reservations"
            " WHERE gite_id = %s AND ical_uid IS NOT NULL ORDER BY date_debut, ical_uid",
            unit_id,
        )

    def logs(self, unit_id: UUID) -> list[tuple[Any, ...]]:
        """(status, added, updated, removed, skipped, error) of a gîte's runs, oldest first."""
        return self.rows(
            "SELECT status, added, updated, removed, skipped, error FROM sync_logs"
            " WHERE gite_id = %s ORDER BY synced_at",
            unit_id,
        )


@contextmanager
def sync_world(admin_url: str, variant: Variant) -> Iterator[SyncWorld]:
    """A migrated database to write into as the owner of the tables, and a worker's login."""
    migrate_both(admin_url, variant)
    with psycopg.connect(admin_url, autocommit=True) as connection:
        yield SyncWorld(admin_url, connection, worker_login(admin_url))


def environment(
    world: SyncWorld, outside: Platform, variant: Variant, **settings: object
) -> dict[str, str]:
    """What a worker or a scheduler of this world runs with."""
    return {
        "APP_DATABASE_URL": world.worker_url,
        "APP_VARIANT": json.dumps({"sync": variant.sync}),
        "APP_CALENDAR_HOSTS": ",".join(sorted(HOSTS)),
        "APP_OUTBOUND_PROXY": outside.url,
        **{name: str(value) for name, value in settings.items()},
    }


@contextmanager
def worker(
    world: SyncWorld, outside: Platform, variant: Variant, **settings: object
) -> Iterator[Process]:
    """A worker that takes tasks; without the second between tasks unless it is asked for."""
    env = environment(world, outside, variant, **{"APP_SYNC_PAUSE_S": 0, **settings})
    with process("reference_app.sync.worker", env=env) as running:
        running.wait_until_it_says("sync worker ready")
        yield running
