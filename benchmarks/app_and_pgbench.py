"""How much of what PostgreSQL can answer reaches the client through the application.

For each endpoint the statement it runs is taken from the application itself and given to pgbench:
the same text, role, row security, identity in the same pipeline, number of connections and rows.
The application runs in one process on one core; pgbench, which takes its place, on the same core;
PostgreSQL and the client that asks the application on another. The two take turns in every round,
so a busy machine slows both, and the ratio is of one round.

    python benchmarks/app_and_pgbench.py                 every endpoint, as it is deployed
    python benchmarks/app_and_pgbench.py --tier ep-1     those of E-Pilot, with its rows
    python benchmarks/app_and_pgbench.py --options       one endpoint, with one option changed each

Needs two cores.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import http.client
import json
import os
import re
import secrets
import statistics
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec

from palier.model.identity import (
    gite_id,
    guest_token,
    owner_id,
    reservation_id,
    row_id,
    school_group_id,
)
from palier.model.parse import load_catalogue
from palier.stack.address import parts_of
from palier.stack.app import migrate
from palier.stack.binaries import find_binaries, runnable_as
from palier.stack.database import create_app_login, create_database
from palier.stack.environments import variant_json
from palier.stack.health import wait_until
from palier.stack.ports import HOST, free_port
from palier.stack.postgres import start_server
from palier.stack.workspace import Workspace, unprivileged_user
from reference_app.database import SET_GUEST, SET_IDENTITY, Statement
from reference_app.guests.queries import open_sheet
from reference_app.identity.principal import Guest, Principal
from reference_app.identity.tokens import Tokens
from reference_app.plans.queries import all_restrictions, one_restriction
from reference_app.reservations.listing import RESERVATIONS
from reference_app.reservations.queries import create_reservation, find_reservation
from reference_app.session import GuestSession, Session, token_sha256
from reference_app.variant import Variant
from seed.dataset import seed_database

TIER = "lou-3"
SEED = 1
OWNER = 60
"""One above the middle: three pages of bookings, two gîtes."""
GROUP = 1
"""Ten schools, 400 students, 30 staff, eight files (D-03)."""
GUEST_TOKEN = guest_token(seed=SEED, owner=OWNER, index=0)
CONNECTIONS = 8
SECONDS = 3.0
ROUNDS = 5
FIRST_OF_PGBENCH, LAST_NUMBER = 400_000, 1_400_000
"""Two-night stays from 2100 on, by number: pgbench books far behind the application, whose stays
would else be refused for taken nights."""
TAG = "reference_app:" + "0" * 32
CLIENT = Path(__file__).parent / "support" / "http_client.py"

AS_DEPLOYED = ("--loop", "uvloop", "--http", "1")
"""Granian's options in palier/stack/app.py."""

OPTIONS: dict[str, tuple[Sequence[str], Mapping[str, str]]] = {
    "as deployed": (AS_DEPLOYED, {}),
    "event loop: asyncio": (("--loop", "asyncio", "--http", "1"), {}),
    "runtime: multi-threaded": ((*AS_DEPLOYED, "--runtime-mode", "mt"), {}),
    "tasks: rust": ((*AS_DEPLOYED, "--task-impl", "rust"), {}),
    "two workers on the core": ((*AS_DEPLOYED, "--workers", "2"), {}),
    "no pipelining": (AS_DEPLOYED, {"BENCH_PIPELINE": "off"}),
    "no prepared statements": (AS_DEPLOYED, {"BENCH_PREPARE": "off"}),
    "encoding: json of the library": (AS_DEPLOYED, {"BENCH_ENCODING": "json"}),
}


class Captured(Exception):  # noqa: N818  not a mishap
    """The statement a query function was about to run."""

    def __init__(self, statement: Statement, parameters: Mapping[str, Any]) -> None:
        self.text = statement
        self.parameters = parameters


class Capture:
    """In the place of a Database: takes the statement instead of running it."""

    async def rows(
        self, _: Any, statement: Statement, parameters: Mapping[str, Any], *__: Any, **___: Any
    ) -> Any:
        raise Captured(statement, parameters)

    first = rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """What is compared.

    Attributes:
        name: For people.
        query: Runs the application's own query with a session of ``session``.
        requests: The requests of one round, as they go over the wire.
        instead: pgbench expressions by parameter, for what must differ in each transaction.
        status: The right answer.
        as_guest: Asked with a guest's token in place of an owner's.
    """

    name: str
    query: Callable[[Any], Awaitable[Any]]
    requests: Callable[[int], list[str]]
    instead: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    as_guest: bool = False


def over_the_wire(method: str, path: str, token: str, body: Mapping[str, Any] | None = None) -> str:
    text = "" if body is None else json.dumps(body)
    return (
        f"{method} {path} HTTP/1.1\r\nHost: app\r\nAccept: application/json\r\n"
        f"Authorization: Bearer {token}\r\n"
        + (f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n" if text else "")
        + f"\r\n{text}"
    )


def endpoints_of_groups(token: str) -> list[Endpoint]:
    return [
        Endpoint(
            name="limits card: all restrictions",
            query=all_restrictions,
            requests=lambda _: [over_the_wire("GET", "/api/restrictions", token)],
        ),
        Endpoint(
            name="one restriction: schools",
            query=lambda session: one_restriction(session, "schools"),
            requests=lambda _: [over_the_wire("GET", "/api/restrictions/schools", token)],
        ),
    ]


def endpoints(token: str) -> list[Endpoint]:
    booking = reservation_id(seed=SEED, owner=OWNER, index=0)
    unit = gite_id(seed=SEED, owner=OWNER, index=0)

    def booking_body(number: int) -> dict[str, Any]:
        arrival = date.fromordinal(date(2100, 1, 1).toordinal() + 2 * number)
        return {
            "gite_id": str(unit),
            "date_debut": arrival.isoformat(),
            "date_fin": date.fromordinal(arrival.toordinal() + 2).isoformat(),
            "client_nom": "Famille Martin",
            "voyageurs": 2,
            "plateforme": "direct",
            "prix_centimes": 18_000,
        }

    return [
        Endpoint(
            name="page of 50 reservations and total",
            query=lambda session: RESERVATIONS.page(session, page=1, after=None),
            requests=lambda _: [over_the_wire("GET", "/api/reservations", token)],
        ),
        Endpoint(
            name="one reservation",
            query=lambda session: find_reservation(session, booking),
            requests=lambda _: [over_the_wire("GET", f"/api/reservations/{booking}", token)],
        ),
        Endpoint(
            name="create a reservation",
            query=lambda session: create_reservation(
                session,
                {"id": uuid.uuid4(), "client_email": None, "status": "confirmed"}
                | booking_body(0)
                | {"gite_id": unit},
            ),
            requests=lambda round_: [
                over_the_wire("POST", "/api/reservations", token, booking_body(number))
                for number in range(round_ * 60_000, (round_ + 1) * 60_000)
            ],
            # The same statement; only what must differ each time is made by the server.
            instead={
                "id": "gen_random_uuid()",
                "date_debut": "(date '2100-01-01' + 2 * :number)",
                "date_fin": "(date '2100-01-03' + 2 * :number)",
            },
            status=201,
        ),
        Endpoint(
            name="guest sheet",
            query=open_sheet,
            requests=lambda _: [over_the_wire("GET", f"/api/guest/{GUEST_TOKEN}", token)],
            as_guest=True,
        ),
    ]


_PARAMETER = re.compile(r"%\((\w+)\)s")


def pgbench_script(endpoint: Endpoint, principal: Principal) -> tuple[str, dict[str, str]]:
    """The endpoint's transaction for pgbench, and its variables."""
    database: Any = Capture()
    request: Any = SimpleNamespace(user=principal)
    variant = Variant(pagination="offset")
    session: Session | GuestSession
    if endpoint.as_guest:
        guest = Guest(token_sha256(GUEST_TOKEN))
        session = GuestSession(database, guest, variant)
        identity, who = SET_GUEST, {"token": guest.token_sha256, "tag": TAG}
    else:
        session = Session(database, None, None, request, variant)
        identity = SET_IDENTITY
        who = {
            "user_id": str(principal.user_id),
            "role": principal.role,
            "tenant_id": str(principal.tenant_id),
            "request_id": "0" * 32,
            "tag": TAG,
        }
    try:
        asyncio.run(endpoint.query(session))  # type: ignore[arg-type]
    except Captured as captured:
        text, parameters = captured.text, captured.parameters
    else:
        raise AssertionError(f"{endpoint.name} runs no statement")
    lines = [
        f"\\set number random({FIRST_OF_PGBENCH}, {LAST_NUMBER})",
        "\\startpipeline",
        _one_line(_PARAMETER.sub(lambda found: f":identity_{found[1]}", identity)),
        _one_line(
            _PARAMETER.sub(lambda found: endpoint.instead.get(found[1], f":{found[1]}"), text)
        ),
        "\\endpipeline",
    ]
    variables = {
        name: str(value)
        for name, value in parameters.items()
        if name not in endpoint.instead and value is not None
    }
    # pgbench has no NULL; the only one is written into the text
    script = "\n".join(lines)
    for name, value in parameters.items():
        if value is None:
            script = re.sub(rf":{name}\b", "NULL", script)
    return script, variables | {f"identity_{name}": value for name, value in who.items()}


def _one_line(statement: str) -> str:
    return re.sub(r"\s+", " ", statement).strip() + ";"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A seeded database, and what is needed to start an application on it.

    Attributes:
        workspace: Owns the processes.
        url: Connection of the application.
        programs: Directory of pgbench.
        variant: The tier's switches.
        secret: Key of the tokens.
        cores: The application's, and everybody else's.
    """

    workspace: Workspace
    url: str
    programs: Path
    variant: Any
    secret: str
    cores: tuple[int, int]

    def pgbench(self, script: str, variables: Mapping[str, str]) -> float:
        """Transactions a second, in the application's place."""
        parts = parts_of(self.url)
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
            file.write(script)
            file.flush()
            answer = subprocess.run(
                [
                    *("taskset", "-c", str(self.cores[0]), self.programs / "pgbench"),
                    *("-n", "-M", "prepared", "-T", f"{SECONDS:.0f}", "-f", file.name),
                    *("-c", str(CONNECTIONS), "-j", "1"),
                    *(f"-D{name}={value}" for name, value in variables.items()),
                    *("-h", parts["host"], "-p", parts["port"], "-U", parts["user"]),
                    parts["dbname"],
                ],
                env={**os.environ, "PGPASSWORD": parts["password"]},
                capture_output=True,
                text=True,
                check=False,
            )
        found = re.search(r"tps = ([\d.]+)", answer.stdout)
        if answer.returncode or found is None:
            raise SystemExit(f"pgbench failed:\n{answer.stdout}\n{answer.stderr}\n{script}")
        return float(found[1])

    @contextmanager
    def application(
        self, options: Sequence[str] = AS_DEPLOYED, environment: Mapping[str, str] | None = None
    ) -> Iterator[int]:
        """An application of one process on its core; its port."""
        port = free_port()
        workers = () if "--workers" in options else ("--workers", "1")
        process = self.workspace.start(
            "app",
            [
                *(sys.executable, "-P", "-m", "granian", "--interface", "asgi", "--factory"),
                *("--host", HOST, "--port", str(port), *workers, *options),
                "benchmarks.support.measured_app:create_app",
            ],
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(Path(__file__).parents[1]),
                "APP_DATABASE_URL": self.url,
                "APP_POOL_SIZE": str(CONNECTIONS),
                "APP_JWT_SECRET": self.secret,
                "APP_VARIANT": variant_json(self.variant),
                "APP_RATE_LIMIT_PER_MIN": "off",
                **(environment or {}),
            },
            cpus=self.cores[:1],
        )
        try:
            wait_until(
                lambda: _why_not_ready(port), deadline_s=60, component="app", process=process
            )
            yield port
        finally:
            self.workspace.stop(process)

    def client(self, port: int, requests: list[str], status: int) -> float:
        """Answers a second; all of them right."""
        answer = subprocess.run(
            [
                *("taskset", "-c", str(self.cores[1]), sys.executable, CLIENT),
                *(HOST, str(port), str(CONNECTIONS), str(SECONDS)),
            ],
            input=json.dumps(requests),
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.returncode:
            raise SystemExit(f"the client failed:\n{answer.stderr}")
        result = json.loads(answer.stdout)
        if set(result["statuses"]) != {str(status)}:
            raise SystemExit(f"other answers than {status}: {result['statuses']}")
        return float(result["statuses"][str(status)] / result["seconds"])


def _why_not_ready(port: int) -> str | None:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/health/ready")
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException) as error:
        return str(error)
    finally:
        connection.close()
    return None if answer.status == http.HTTPStatus.OK else f"status {answer.status}"


@contextmanager
def bench(tier_id: str) -> Iterator[Bench]:
    """Bring the database up with the tier's data."""
    cores = sorted(os.sched_getaffinity(0))[:2]
    if len(cores) < 2:
        raise SystemExit("two cores are needed: one for the application, one for the others")
    tier = load_catalogue(Path("tiers.yaml")).tier(tier_id)
    with (
        tempfile.TemporaryDirectory() as logs,
        Workspace.create(purpose="test", logs=Path(logs)) as workspace,
    ):
        server = start_server(workspace, cpus=cores[1:])
        database = create_database(server, workspace.token)
        migrate(workspace, admin_url=database.admin_url, stage="before-data", variant=tier.variant)
        seed_database(
            database.admin_url,
            tier,
            SEED,
            after_data=lambda: migrate(
                workspace, admin_url=database.admin_url, stage="after-data", variant=tier.variant
            ),
        )
        programs = runnable_as(find_binaries(), unprivileged_user(), workspace.home)
        yield Bench(
            workspace=workspace,
            url=create_app_login(database),
            programs=programs.directory,
            variant=dataclasses.replace(tier.variant, pooling="app"),
            secret=secrets.token_urlsafe(32),
            cores=(cores[0], cores[1]),
        )


def compare_endpoints(on: Bench, *, of_groups: bool) -> None:
    """Every endpoint beside pgbench."""
    if of_groups:
        admin = row_id(seed=SEED, kind="group_admin", tenant=GROUP, index=0)
        principal = Principal(admin, "group_admin", school_group_id(seed=SEED, group=GROUP))
    else:
        principal = Principal(owner_id(seed=SEED, owner=OWNER), "owner", None)
        principal = msgspec.structs.replace(principal, tenant_id=principal.user_id)
    token = Tokens(on.secret, 3600).issue(principal)
    compared = endpoints_of_groups(token) if of_groups else endpoints(token)
    print(f"{'':36}{'app/s':>9}{'pgbench/s':>11}{'share':>8}{'spread of share':>20}")
    with on.application() as port:
        for endpoint in compared:
            script, variables = pgbench_script(endpoint, principal)
            app, database = [], []
            for round_ in range(ROUNDS):
                app.append(on.client(port, endpoint.requests(round_), endpoint.status))
                database.append(on.pgbench(script, variables))
            _row(endpoint.name, app, database)


def compare_options(on: Bench) -> None:
    """One endpoint with one option changed at a time, against the deployed one of its round."""
    principal = Principal(owner_id(seed=SEED, owner=OWNER), "owner", None)
    principal = msgspec.structs.replace(principal, tenant_id=principal.user_id)
    token = Tokens(on.secret, 3600).issue(principal)
    print(f"{'':36}{'app/s':>9}{'deployed/s':>11}{'share':>8}{'spread of share':>20}")
    for endpoint in endpoints(token)[:2]:
        print(f"{endpoint.name}:")
        for name, (options, environment) in OPTIONS.items():
            changed, deployed = [], []
            with on.application() as usual, on.application(options, environment) as other:
                for round_ in range(ROUNDS):
                    requests = endpoint.requests(round_)
                    deployed.append(on.client(usual, requests, endpoint.status))
                    changed.append(on.client(other, requests, endpoint.status))
            _row(f"  {name}", changed, deployed)
    print("page of 50 reservations and total, made by the server:")
    asked = [over_the_wire("GET", "/bench/reservations", token)]
    usual_page = endpoints(token)[0].requests(0)
    with on.application() as port:
        rounds = [
            (on.client(port, asked, 200), on.client(port, usual_page, 200)) for _ in range(ROUNDS)
        ]
    _row("  rows become JSON in PostgreSQL", [a for a, _ in rounds], [b for _, b in rounds])


def _row(name: str, measured: Sequence[float], base: Sequence[float]) -> None:
    shares = sorted(a / b for a, b in zip(measured, base, strict=True))
    print(
        f"{name:36}{statistics.median(measured):>9,.0f}{statistics.median(base):>11,.0f}"
        f"{statistics.median(shares):>8.2f}{shares[0]:>13.2f} to {shares[-1]:.2f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tier", default=TIER, help="whose rows and switches")
    parser.add_argument("--options", action="store_true", help="change one option at a time")
    chosen = parser.parse_args()
    with bench(chosen.tier) as on:
        print(
            f"{ROUNDS} rounds of {SECONDS:g} s, {CONNECTIONS} connections, {chosen.tier}, "
            f"row security {on.variant.row_security}, indexes {on.variant.indexes}"
        )
        if chosen.options:
            compare_options(on)
        else:
            compare_endpoints(on, of_groups=chosen.tier.startswith("ep-"))
        print("read the shares: the rates belong to this machine at this moment")


if __name__ == "__main__":
    main()
