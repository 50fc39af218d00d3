"""How long a plan change takes from its commit to thousands of open sockets, and what they cost.

The real application in one process on one core, PostgreSQL, a writer and the listeners (one
process) on the others. Two kinds of change: of one group's plan, which concerns that group's
sockets, and of what a plan grants, which concerns every socket there is. Then the fallback: what
one request for `/api/live/events` costs the application, beside one message to a socket.

    python benchmarks/live.py                       500 and 4,000 sockets
    python benchmarks/live.py --sockets 10000

The clock is that of the wall, the same for the database and the listeners.
"""

from __future__ import annotations

import argparse
import http.client
import json
import math
import resource
import secrets
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg

from palier.listeners.accounts import Account
from palier.listeners.notes import NOTES_FILE, Received, read_notes
from palier.listeners.process import ListenerProcess
from palier.model.tier import StackSpec
from palier.model.variant import Variant
from palier.stack.app import App, migrate, start_app
from palier.stack.database import create_app_login, create_database
from palier.stack.postgres import start_server
from palier.stack.workspace import Workspace
from reference_app.identity.passwords import hash_password
from reference_app.identity.principal import Principal
from reference_app.identity.tokens import Tokens

GROUPS = 250
PASSWORD = "palier-1"
HASH_LOG2_N = 4
"""Sign-in is not what is measured here."""

CHANGES = GROUPS
EVERY_S = 0.02
CONTENTS = 10
CONTENT_EVERY_S = 0.5
POLLS = 1_000
SECRET = secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True)
class World:
    """The application with a database full of groups, and the accounts that listen."""

    app: App
    database: psycopg.Connection
    admins: Sequence[Principal]

    @property
    def process(self) -> psutil.Process:
        """The worker that serves: the largest descendant."""
        main = psutil.Process(self.app.process.pids()[0])
        return max(main.children(recursive=True), key=lambda one: one.memory_info().rss)

    def accounts(self) -> list[Account]:
        return [Account(f"{admin.user_id}@example.com", PASSWORD) for admin in self.admins]


@contextmanager
def world(cores: Sequence[int]) -> Iterator[World]:
    """Bring it up, and down again."""
    with Workspace.create(purpose="test") as workspace:
        variant = Variant(indexes="full", row_security="wrapped")
        server = start_server(workspace, cpus=cores[1:])
        database = create_database(server, "live")
        for stage in ("before-data", "after-data"):
            migrate(workspace, admin_url=database.admin_url, stage=stage, variant=variant)
        with psycopg.connect(database.admin_url, autocommit=True) as connection:
            admins = [group(connection) for _ in range(GROUPS)]
            connection.execute("ANALYZE")
            app = start_app(
                workspace,
                spec=StackSpec(app_processes=1, pool_size=8),
                variant=variant,
                environment={
                    "APP_DATABASE_URL": create_app_login(database),
                    "APP_JWT_SECRET": SECRET,
                    "GRANIAN_BACKPRESSURE": "30000",
                },
                cpus=cores[:1],
            )
            yield World(app, connection, admins)


def group(connection: psycopg.Connection) -> Principal:
    """A school group on Pro, and its administrator."""
    group_id, user_id = uuid.uuid4(), uuid.uuid4()
    connection.execute("INSERT INTO school_groups (id, name) VALUES (%s, 'Groupe')", [group_id])
    connection.execute(
        "INSERT INTO subscriptions (id, school_group_id, plan_id, status, cycle, starts_on,"
        " ends_on) SELECT gen_random_uuid(), %s, id, 'active', 'yearly', '2026-01-01',"
        " '2027-01-01' FROM subscription_plans WHERE slug = 'pro'",
        [group_id],
    )
    connection.execute(
        "INSERT INTO users (id, email, password_hash, role, school_group_id)"
        " VALUES (%s, %s, %s, 'group_admin', %s)",
        [
            user_id,
            f"{user_id}@example.com",
            hash_password(PASSWORD, b"salt of this one", HASH_LOG2_N),
            group_id,
        ],
    )
    return Principal(user_id, "group_admin", group_id)


def change_plans(up: World) -> None:
    """One group after the other, to another plan of the same contents as far as sockets care."""
    for index in range(CHANGES):
        admin = up.admins[index % len(up.admins)]
        up.database.execute(
            "UPDATE subscriptions SET plan_id = (SELECT id FROM subscription_plans WHERE slug ="
            " %s) WHERE school_group_id = %s",
            ["institutional", admin.tenant_id],
        )
        up.database.execute(
            "UPDATE subscriptions SET plan_id = (SELECT id FROM subscription_plans WHERE slug ="
            " 'pro') WHERE school_group_id = %s",
            [admin.tenant_id],
        )
        time.sleep(EVERY_S)


def change_contents(up: World) -> None:
    """Take a module from the plan of all, and give it back."""
    ((plan, module),) = up.database.execute(
        "SELECT plan_id, module_id FROM plan_modules JOIN subscription_plans p ON p.id = plan_id"
        " WHERE slug = 'pro' LIMIT 1"
    ).fetchall()
    for _ in range(CONTENTS // 2):
        up.database.execute(
            "DELETE FROM plan_modules WHERE plan_id = %s AND module_id = %s", [plan, module]
        )
        time.sleep(CONTENT_EVERY_S)
        up.database.execute(
            "INSERT INTO plan_modules (plan_id, module_id) VALUES (%s, %s)", [plan, module]
        )
        time.sleep(CONTENT_EVERY_S)


def cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def with_sockets(up: World, sockets: int, cores: Sequence[int]) -> None:
    """Open them, change, and tell what it took."""
    process = up.process
    empty = process.memory_info().rss
    spent: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="palier-bench-", dir="/var/tmp") as folder:
        with ListenerProcess(
            up.app.url,
            accounts=up.accounts(),
            count=sockets,
            folder=Path(folder),
            cpu_set=frozenset(cores[1:]),
        ) as listeners:
            full = process.memory_info().rss
            ours = psutil.Process(listeners.pid).memory_info().rss
            for name, change in (("plan", change_plans), ("content", change_contents)):
                spent[name] = -cpu_s(process)
                change(up)
                spent[name] += cpu_s(process)
        received = [n for n in read_notes(Path(folder) / NOTES_FILE) if isinstance(n, Received)]
    print(
        f"{sockets:,} sockets: {(full - empty) / sockets / 1024:.0f} KiB each in the application, "
        f"{ours / sockets / 1024:.0f} KiB each in the listeners"
    )
    for name, due in (("plan", 2 * sockets), ("content", CONTENTS * sockets)):
        delays_ms = sorted(note.delay_s * 1000 for note in received if note.kind == name)
        if len(delays_ms) != due:
            sys.exit(f"error: {len(delays_ms)} receipts of {name}, {due} were due")
        print(
            f"  {name:8s} {len(delays_ms):7,} receipts: p50 {at(delays_ms, 0.5):.1f} ms, "
            f"p99 {at(delays_ms, 0.99):.1f} ms, last {delays_ms[-1]:.1f} ms; "
            f"{spent[name] / len(delays_ms) * 1e6:.0f} us of the application for each"
        )
    print(f"  largest message {max(note.size for note in received)} bytes")


def polling(up: World) -> None:
    """What asking costs."""
    admin = up.admins[0]
    connection = http.client.HTTPConnection(up.app.url.removeprefix("http://"), timeout=10)
    headers = {"Authorization": f"Bearer {Tokens(SECRET, ttl_s=600).issue(admin)}"}

    def ask(query: str) -> bytes:
        connection.request("GET", f"/api/live/events{query}", headers=headers)
        return connection.getresponse().read()

    last = json.loads(ask(""))["last"]
    process = up.process
    spent_s = -cpu_s(process)
    for _ in range(POLLS):
        ask(f"?since={last}")
    spent_s += cpu_s(process)
    connection.close()
    print(f"polling: {spent_s / POLLS * 1e6:.0f} us of the application for each request")


def at(ordered: Sequence[float], quantile: float) -> float:
    return ordered[max(0, math.ceil(quantile * len(ordered)) - 1)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sockets", type=int, nargs="+", default=[500, 4_000])
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    cores = sorted(psutil.Process().cpu_affinity())
    if len(cores) < 2:
        sys.exit("error: needs two cores")
    with world(cores) as up:
        for sockets in options.sockets:
            with_sockets(up, sockets, cores)
        polling(up)


if __name__ == "__main__":
    main()
