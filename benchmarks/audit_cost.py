"""What it costs that changes and statements can be followed to a request (B-54).

The audit trail: the same creation with its triggers and without.

One application, one database, one connection that asks one thing after the other. Beside the time
that passes stands the processor time of application and database, which a busy machine spoils less.
The triggers are switched off and on between short rounds that take turns, so a busy machine slows
both, and the rows that a round created leave before the next: the count of a plan's limit is always
over the same number. The ratio is of two neighbouring rounds; the median of all of them counts.

The tags: the way to the database and back of the smallest statement, with the identity alone, with
the request's id for the trail, and with the id in the connection's name as well.

    python benchmarks/audit_cost.py
"""

from __future__ import annotations

import asyncio
import functools
import http.client
import json
import secrets
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil
import psycopg

from palier.model.tier import StackSpec
from palier.model.variant import Variant
from palier.stack.app import migrate, start_app
from palier.stack.database import create_app_login, create_database
from palier.stack.postgres import start_server
from palier.stack.workspace import Workspace
from reference_app import database as database_module
from reference_app.database import Database
from reference_app.identity.principal import Principal
from reference_app.identity.tokens import Tokens
from reference_app.request_context import Origin, origin
from reference_app.settings import Settings
from reference_app.variant import Variant as AppVariant

VARIANT = Variant(indexes="full", row_security="wrapped", pagination="keyset", pooling="app")
PUPILS = 200
CREATIONS = 200
STATEMENTS = 500
ROUNDS = 21


def main() -> None:
    """Measure schools and students."""
    secret = secrets.token_urlsafe(32)
    with (
        tempfile.TemporaryDirectory() as logs,
        Workspace.create(purpose="test", logs=Path(logs)) as workspace,
    ):
        server = start_server(workspace)
        database = create_database(server, workspace.token)
        for stage in ("before-data", "after-data"):
            migrate(workspace, admin_url=database.admin_url, stage=stage, variant=VARIANT)
        with psycopg.connect(database.admin_url, autocommit=True) as admin:
            who, school = _a_group(admin)
            app_url = create_app_login(database)
            app = start_app(
                workspace,
                spec=StackSpec(app_processes=1, pool_size=2),
                variant=VARIANT,
                environment={
                    "APP_DATABASE_URL": app_url,
                    "APP_JWT_SECRET": secret,
                    "APP_RATE_LIMIT_PER_MIN": "off",
                },
            )
            connection = http.client.HTTPConnection(app.url.removeprefix("http://"))
            sign = {"Authorization": f"Bearer {Tokens(secret, 3600).issue(who)}"}

            def processor_s() -> float:
                return sum(map(_cpu_s, (*server.pids(), *app.process.pids())))

            print(f"{'':26}{'without ms':>12}{'with ms':>10}{'ratio':>8}{'quartiles':>18}")
            for table, body in (
                ("schools", {"name": "École Curie", "city": "Dole"}),
                ("students", {"name": "Zoé Lefèvre", "school_id": str(school)}),
            ):
                create = functools.partial(_create, connection, sign, table, body)
                _compare(admin, create, table, processor_s)
        asyncio.run(_compare_tags(app_url))
    print("read the ratios: the times belong to this machine at this moment")


def _a_group(admin: psycopg.Connection[Any]) -> tuple[Principal, uuid.UUID]:
    group, user, school = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    admin.execute("INSERT INTO school_groups (id, name) VALUES (%s, 'Groupe')", [group])
    admin.execute(
        "INSERT INTO subscriptions"
        " (id, school_group_id, plan_id, status, cycle, starts_on, ends_on)"
        " SELECT gen_random_uuid(), %s, id, 'active', 'yearly', '2026-01-01', '2027-01-01'"
        " FROM subscription_plans WHERE slug = 'institutional'",
        [group],
    )
    admin.execute(
        "INSERT INTO users (id, email, password_hash, role, school_group_id)"
        " VALUES (%s, 'a@example.com', '', 'group_admin', %s)",
        [user, group],
    )
    admin.execute("INSERT INTO schools VALUES (%s, %s, 'École', 'Dole')", [school, group])
    admin.execute(
        "INSERT INTO students (id, school_group_id, school_id, name)"
        " SELECT gen_random_uuid(), %s, %s, 'Élève' FROM generate_series(1, %s)",
        [group, school, PUPILS],
    )
    admin.execute("ANALYZE")
    return Principal(user, "group_admin", group), school


def _compare(
    admin: psycopg.Connection[Any],
    create: Callable[[], float],
    table: str,
    processor_s: Callable[[], float],
) -> None:
    kept = admin.execute(f"SELECT array_agg(id) FROM {table}".encode()).fetchone()
    assert kept is not None
    times: dict[str, list[float]] = {"DISABLE": [], "ENABLE": []}
    processor: dict[str, list[float]] = {"DISABLE": [], "ENABLE": []}
    for round_ in range(-2, ROUNDS):  # the first two warm up
        for switch in ("DISABLE", "ENABLE") if round_ % 2 else ("ENABLE", "DISABLE"):
            admin.execute(f"ALTER TABLE {table} {switch} TRIGGER trail_insert".encode())
            before_s = processor_s()
            taken = [create() for _ in range(CREATIONS)]
            spent_s = processor_s() - before_s
            if round_ >= 0:
                times[switch].append(statistics.median(taken))
                processor[switch].append(spent_s / CREATIONS)
            with admin.transaction():
                admin.execute("SET LOCAL session_replication_role = replica")
                admin.execute(f"DELETE FROM {table} WHERE id <> ALL(%s)".encode(), kept)
            admin.execute(f"VACUUM ANALYZE {table}".encode())
    _row(f"new {table}, time", times["DISABLE"], times["ENABLE"])
    _row(f"new {table}, processor", processor["DISABLE"], processor["ENABLE"])


def _row(name: str, without: Sequence[float], with_: Sequence[float]) -> None:
    ratios = [a / b for a, b in zip(with_, without, strict=True)]
    low, _, high = statistics.quantiles(ratios, n=4)
    print(
        f"{name:26}{statistics.median(without) * 1e3:>12.3f}{statistics.median(with_) * 1e3:>10.3f}"
        f"{statistics.median(ratios):>8.3f}{low:>10.3f} to {high:.3f}",
        flush=True,
    )


def _cpu_s(pid: int) -> float:
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return times.user + times.system


async def _compare_tags(url: str) -> None:
    """The same statement behind three identities, in turns."""
    whole = database_module.SET_IDENTITY
    bare, _, _ = whole.partition(",\n       set_config('app.request_id'")
    with_id, _, _ = whole.partition(",\n       set_config('application_name'")
    texts = {"identity alone": bare, "and request id": with_id, "and name": whole}
    settings = Settings(database_url=url, pool_size=1, jwt_secret="x" * 32, variant=AppVariant())
    database = Database(settings)
    await database.open()
    who = Principal(uuid.uuid4(), "owner", None)
    origin.set(Origin("0" * 32, may_write=True))
    medians: dict[str, list[float]] = {name: [] for name in texts}
    try:
        for round_ in range(-2, ROUNDS):
            for name, text in texts.items():
                database_module.SET_IDENTITY = text
                times = []
                for _ in range(STATEMENTS):
                    started = time.perf_counter()
                    await database.rows(who, "SELECT 1", {}, int)
                    times.append(time.perf_counter() - started)
                if round_ >= 0:
                    medians[name].append(statistics.median(times))
    finally:
        database_module.SET_IDENTITY = whole
        await database.close()
    for name, found in medians.items():
        _row(name, medians["identity alone"], found)


def _create(
    connection: http.client.HTTPConnection, sign: dict[str, str], table: str, body: dict[str, str]
) -> float:
    started = time.perf_counter()
    connection.request(
        "POST",
        f"/api/{table}",
        json.dumps(body),
        {**sign, "Content-Type": "application/json"},
    )
    answer = connection.getresponse()
    answer.read()
    took_s = time.perf_counter() - started
    if answer.status != http.HTTPStatus.CREATED:
        raise SystemExit(f"{table}: status {answer.status}")
    return took_s


if __name__ == "__main__":
    main()
