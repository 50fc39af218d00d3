"""Signing in, staying up, and never answering 500."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import re
import signal
import statistics
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import jwt
import psycopg
import pytest
from app_support import PASSWORD, SECRET, TOKENS, Site, site
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from palier.stack.postgres import start_server
from palier.stack.workspace import Workspace
from reference_app.database import Database
from reference_app.health import READY_TIMEOUT_S
from reference_app.identity.passwords import hash_password
from reference_app.identity.principal import Principal
from reference_app.identity.tokens import InvalidTokenError, Tokens
from reference_app.log import JsonFormatter
from reference_app.settings import Settings
from reference_app.variant import Variant

pytestmark = pytest.mark.db

DEADLINE_S = 30.0


@pytest.fixture(scope="module")
def house(fresh_database: Any) -> Iterator[Site]:
    with fresh_database() as url, site(url, Variant(pagination="offset")) as up:
        yield up


def eventually(true: Callable[[], bool], what: str) -> None:
    """Wait for a fact, not for a time."""
    deadline = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < deadline, f"not within {DEADLINE_S:g} s: {what}"
        time.sleep(0.02)


def is_refusal(answer: httpx.Response) -> bool:
    return (
        answer.status_code == 503
        and answer.headers["content-type"] == "application/problem+json"
        and answer.headers["retry-after"] == "1"
        and answer.json()["type"] == "/problems/database-unavailable"
    )


# sign-in ------------------------------------------------------------------------------------


@pytest.mark.covers("B-52", "B-212", "B-213")
def test_signing_in_gives_a_token_that_opens_the_session(house: Site) -> None:
    owner = house.world.owner()
    body = {"email": f"{owner.user_id}@EXAMPLE.com", "password": PASSWORD}

    answer = house.call("POST", "/api/auth", json=body)
    token = answer.json()["access_token"]
    session = house.call("GET", "/api/session", headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code == 200
    assert answer.json()["token_type"] == "Bearer"
    assert answer.json()["expires_in"] == 3600
    assert answer.json()["user"] == {
        "id": str(owner.user_id),
        "email": f"{owner.user_id}@example.com",
        "role": "owner",
        "tenant_id": str(owner.user_id),
    }
    assert session.json()["email"] == f"{owner.user_id}@example.com"


def test_an_administrators_tenant_is_the_group(house: Site) -> None:
    admin = house.world.group("pro")
    body = {"email": f"{admin.user_id}@example.com", "password": PASSWORD}

    user = house.call("POST", "/api/auth", json=body).json()["user"]

    assert user["tenant_id"] == str(admin.tenant_id)


def test_a_wrong_password_and_an_unknown_address_look_alike(house: Site) -> None:
    owner = house.world.owner()
    wrong = {"email": f"{owner.user_id}@example.com", "password": "guess"}
    unknown = {"email": "nobody@example.com", "password": "guess"}

    answers = [house.call("POST", "/api/auth", json=body) for body in (wrong, unknown)]

    assert [answer.status_code for answer in answers] == [401, 401]
    bodies = [{**answer.json(), "request_id": ""} for answer in answers]
    assert bodies[0] == bodies[1]


def test_an_unknown_address_costs_as_much_work_as_a_known_one(fresh_database: Any) -> None:
    """With a hash that takes about 10 ms, doing none would show at once."""
    with fresh_database() as url, site(url, Variant(), password_log2_n=12, pool_size=1) as up:
        owner = up.world.owner()
        costly = hash_password(PASSWORD, b"x" * 16, 12)
        up.world.run("UPDATE users SET password_hash = %s", costly)

        def median_s(email: str) -> float:
            body = {"email": email, "password": "guess"}
            times = []
            for _ in range(7):
                start = time.perf_counter()
                assert up.call("POST", "/api/auth", json=body).status_code == 401
                times.append(time.perf_counter() - start)
            return statistics.median(times)

        known, unknown = median_s(f"{owner.user_id}@example.com"), median_s("nobody@example.com")

    assert unknown > known / 3


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": 1},
        {"role": "emperor"},
        {"sub": "me"},
        {"tenant": 7},
    ],
    ids=str,
)
def test_a_token_with_impossible_claims_proves_nothing(house: Site, claims: dict[str, Any]) -> None:
    good = {
        "sub": str(uuid.uuid4()),
        "role": "owner",
        "tenant": None,
        "exp": int(time.time()) + 60,
    }
    assert _session(house, good, SECRET).json()["type"] == "/problems/account-gone"

    assert _session(house, {**good, **claims}, SECRET).json()["type"] == "/problems/invalid-token"
    assert _session(house, good, "y" * 32).json()["type"] == "/problems/invalid-token"


def test_a_token_without_an_end_or_of_another_algorithm_proves_nothing() -> None:
    key = SECRET * 2  # long enough for SHA-512, so that only the algorithm is wrong
    user = str(uuid.uuid4())
    endless = {"sub": user, "role": "owner", "tenant": user}
    ending = {**endless, "exp": int(time.time()) + 60}
    reader = Tokens(key, ttl_s=60)
    assert str(reader.read(jwt.encode(ending, key, algorithm="HS256")).user_id) == user

    for claims, signed_with, algorithm in [
        (endless, key, "HS256"),
        (ending, key, "HS512"),
        (ending, None, "none"),
    ]:
        with pytest.raises(InvalidTokenError):
            reader.read(jwt.encode(claims, signed_with, algorithm=algorithm))


def _session(house: Site, claims: dict[str, Any], key: str) -> httpx.Response:
    token = jwt.encode(claims, key, algorithm="HS256")
    answer = house.call("GET", "/api/session", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    return answer


def test_the_description_of_the_settings_hides_its_secrets() -> None:
    url = "postgresql://app_user:hunter2@127.0.0.1/app"
    described = repr(Settings(database_url=url, pool_size=1, jwt_secret=SECRET))

    assert "pool_size=1" in described
    assert "hunter2" not in described
    assert SECRET not in described


# gîtes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("colour", ["#aabbcc\n", "aabbcc", "#aabbc", "#aabbccd", "#gggggg"])
def test_a_colour_is_six_digits_and_nothing_else(house: Site, colour: str) -> None:
    body = {"nom": "G", "ville": "Dole", "code_postal": "39100", "capacite": 6, "couleur": colour}

    refused = house.call("POST", "/api/units", house.world.owner(), json=body)

    assert [error["field"] for error in refused.json()["errors"]] == ["couleur"]


def test_a_gite_can_be_created_read_and_changed(house: Site) -> None:
    owner = house.world.owner()
    body = {"nom": "Le Moulin", "ville": "Dole", "code_postal": "39100", "capacite": 6}

    created = house.call("POST", "/api/units", owner, json=body)
    address = created.headers["location"]
    feed = {"ical_url": "https://example.com/a.ics", "actif": False}
    changed = house.call("PATCH", address, owner, json=feed)
    cleared = house.call("PATCH", address, owner, json={"ical_url": None})

    assert created.status_code == 201
    assert changed.json() == {**created.json(), **feed}
    assert cleared.json() == {**changed.json(), "ical_url": None}
    assert house.call("GET", address, owner).json() == cleared.json()
    assert house.call("GET", "/api/units", owner).json() == [cleared.json()]


# operations ---------------------------------------------------------------------------------


def test_a_request_id_is_kept_or_made_and_comes_back_everywhere(house: Site) -> None:
    kept = house.call("GET", "/api/units", headers={"X-Request-ID": "abc-1"})
    made = [house.call("GET", path) for path in ("/health/live", "/nowhere", "/api/units")]
    strange = house.call("GET", "/health/live", headers={"X-Request-ID": "a b\tc" * 50})

    assert kept.headers["x-request-id"] == kept.json()["request_id"] == "abc-1"
    ids = [answer.headers["x-request-id"] for answer in (*made, strange)]
    assert all(re.fullmatch("[0-9a-f]{32}", request_id) for request_id in ids)
    assert len(set(ids)) == 4
    assert house.call("DELETE", "/health/live").status_code == 405


def test_metrics_count_by_route_template_and_show_the_pool(house: Site) -> None:
    owner = house.world.owner()
    unit = house.world.unit(owner)
    house.call("GET", f"/api/units/{unit}", owner)

    text = house.call("GET", "/metrics").text

    assert re.search(
        r'app_requests_total\{method="GET",route="/api/units/\{unit_id\}",status="200"\} \d', text
    )
    assert str(unit) not in text
    assert 'le="0.3"' in text
    assert "app_pool_requests_num" in text
    assert f'app_process_info{{pid="{os.getpid()}"}} 1.0' in text


def test_methods_a_client_makes_up_share_one_series(house: Site) -> None:
    for index in range(3):
        assert house.call(f"BREW{index}", "/api/units").status_code == 405

    text = house.call("GET", "/metrics").text

    assert "BREW" not in text
    assert re.search(r'app_requests_total\{method="\(other\)",.*status="405"\} 3\.0', text)


def test_the_description_of_the_interface_names_every_route(house: Site) -> None:
    schema = house.call("GET", "/schema/openapi.json").json()

    assert {"/api/auth", "/api/reservations", "/api/restrictions"} <= set(schema["paths"])
    assert schema["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


def test_the_description_says_how_every_route_refuses_and_which_are_public(house: Site) -> None:
    schema = house.call("GET", "/schema/openapi.json").json()
    operations = {
        (method.upper(), path): operation
        for path, item in schema["paths"].items()
        for method, operation in item.items()
    }
    refusal = {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}

    assert len(operations) >= 30
    for operation in operations.values():
        assert "400" not in operation["responses"]
        assert operation["responses"]["default"]["content"] == {"application/problem+json": refusal}
    public = {key for key, operation in operations.items() if operation.get("security") == []}
    # B-80: guests have no account; the token in the path is what they show
    guests = {(method, path) for method, path in public if path.startswith("/api/guest/{token}")}
    assert public - guests == {
        ("POST", "/api/auth"),
        ("GET", "/health/live"),
        ("GET", "/health/ready"),
        ("GET", "/metrics"),
        # the same for everybody, so a web cache may keep them (decision 0098)
        ("GET", "/api/exercises"),
        ("GET", "/api/explanations"),
        # the provider's signature is what it shows (decision 0090)
        ("POST", "/api/payments/callbacks/{provider}"),
    }
    assert schema["security"] == [{"bearer": []}]
    described = schema["components"]["schemas"]["ProblemDetails"]
    refused = house.call("POST", "/api/units", house.world.owner(), json={"nom": 1}).json()
    assert set(described["required"]) <= set(refused) <= set(described["properties"])
    assert "FieldError" in schema["components"]["schemas"]


def test_compression_is_a_switch(fresh_database: Any) -> None:
    with fresh_database() as url, site(url, Variant(compression=True), pool_size=1) as up:
        packed = up.call("GET", "/schema/openapi.json", headers={"Accept-Encoding": "gzip"})
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.json()["info"]["title"]


@pytest.mark.covers("B-176")
@pytest.mark.parametrize("pooling", ["none", "pgbouncer"])
def test_the_application_works_with_every_kind_of_pooling(
    fresh_database: Any, pooling: Any
) -> None:
    with fresh_database() as url, site(url, Variant(pooling=pooling), pool_size=3) as up:
        owner = up.world.owner()
        unit = up.world.unit(owner)
        answers = up.app.together([("GET", "/api/units", owner, {}) for _ in range(12)])
        assert [[row["id"] for row in answer.json()] for answer in answers] == [[str(unit)]] * 12


def test_the_access_log_is_one_json_line_a_request(fresh_database: Any) -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("reference_app.access")
    with fresh_database() as url, site(url, Variant(), pool_size=1, access_log=True) as up:
        owner = up.world.owner()
        logger.addHandler(handler)
        up.call("GET", "/api/units", owner, headers={"X-Request-ID": "seen"})
        logger.removeHandler(handler)

    entry = json.loads(written.getvalue())
    assert entry.pop("duration_ms") > 0
    assert entry.pop("at")
    assert entry == {
        "level": "INFO",
        "logger": "reference_app.access",
        "message": "request",
        "request_id": "seen",
        "method": "GET",
        "path": "/api/units",
        "route": "/api/units",
        "status": 200,
        "user_id": str(owner.user_id),
    }


def test_every_statement_is_tagged_with_its_operation(house: Site) -> None:
    """So that statement statistics can be read by operation."""
    owner = house.world.owner()
    house.call("GET", "/api/reservations", owner)

    seen = house.world.rows(
        "SELECT query FROM pg_stat_activity WHERE application_name = 'reference_app'"
        " AND datname = current_database()"
    )

    assert seen
    assert all(re.match(r"/\* \w+ \*/|SELECT 1$", query) for (query,) in seen if query)


# trouble ------------------------------------------------------------------------------------


def test_the_application_refuses_politely_while_the_database_is_away_and_recovers_by_itself(
    fresh_database: Any,
) -> None:
    with (
        fresh_database() as url,
        site(url, Variant(), pool_size=4, pool_timeout_s=0.3) as up,
        psycopg.connect(make_conninfo(url, dbname="postgres"), autocommit=True) as server,
    ):
        owner = up.world.owner()
        name = sql.Identifier(str(conninfo_to_dict(url)["dbname"]))
        assert up.call("GET", "/health/ready").status_code == 200

        server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'reference_app' AND datname = %s",
            [str(conninfo_to_dict(url)["dbname"])],
        )
        away = [up.call("GET", "/api/units", owner) for _ in range(6)]
        assert all(is_refusal(answer) for answer in away)
        assert is_refusal(up.call("GET", "/health/ready"))
        assert is_refusal(up.call("POST", "/api/auth", json={"email": "a@b.c", "password": "x"}))
        assert up.call("GET", "/health/live").status_code == 200

        server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))
        eventually(lambda: up.call("GET", "/health/ready").status_code == 200, "ready again")
        eventually(
            lambda: {up.call("GET", "/api/units", owner).status_code for _ in range(8)} == {200},
            "every connection works again",
        )


def test_a_crash_of_the_server_under_load_gives_only_answers_and_refusals() -> None:
    """A backend is killed with -9: PostgreSQL drops every connection and recovers."""
    fast = (("fsync", "off"), ("shared_buffers", "16MB"))
    with Workspace.create(purpose="test") as workspace:
        server = start_server(workspace, settings=fast)
        with site(server.maintenance_url, Variant(), pool_size=4, pool_timeout_s=5.0) as up:
            owner = up.world.owner()
            with psycopg.connect(up.app_url) as victim:
                wave = [("GET", "/api/units", owner, {})] * 40
                before = up.app.together(wave)
                os.kill(victim.info.backend_pid, signal.SIGKILL)
                during: Counter[int] = Counter()

                def served() -> bool:
                    answers = up.app.together(wave)
                    during.update(answer.status_code for answer in answers)
                    assert all(a.status_code == 200 or is_refusal(a) for a in answers)
                    return 503 in during and all(a.status_code == 200 for a in answers)

                eventually(served, "refused, then served again")
                victim.close()

    assert {answer.status_code for answer in before} == {200}
    assert set(during) == {200, 503}


def test_readiness_says_no_in_time_while_the_database_hangs_and_yes_when_it_works_again() -> None:
    """A hanging server is worse than a dead one: nothing tells that it will not answer."""
    fast = (("fsync", "off"), ("shared_buffers", "16MB"))
    with Workspace.create(purpose="test") as workspace:
        server = start_server(workspace, settings=fast)
        with site(server.maintenance_url, Variant(), pool_size=1) as up:
            assert up.call("GET", "/health/ready").status_code == 200
            ((backend,),) = up.world.rows(
                "SELECT pid FROM pg_stat_activity WHERE application_name = 'reference_app'"
            )
            os.kill(backend, signal.SIGSTOP)
            try:
                asked = time.monotonic()
                assert is_refusal(up.call("GET", "/health/ready"))
                assert time.monotonic() - asked < READY_TIMEOUT_S + 2
            finally:
                os.kill(backend, signal.SIGCONT)
            eventually(lambda: up.call("GET", "/health/ready").status_code == 200, "ready again")


def test_a_pool_that_is_taken_answers_503_within_its_time_out(fresh_database: Any) -> None:
    with (
        fresh_database() as url,
        site(url, Variant(), pool_size=1, pool_timeout_s=0.2) as up,
        psycopg.connect(url) as blocker,
    ):
        owner = up.world.owner()
        unit = up.world.unit(owner)
        blocker.execute("SELECT 1 FROM gites WHERE id = %s FOR UPDATE", [unit])
        asking = up.app.request

        async def hold_and_ask() -> list[httpx.Response]:
            change = asking("PATCH", f"/api/units/{unit}", owner, json={"nom": "N"})
            held = asyncio.create_task(change)
            asked = await asyncio.gather(*(asking("GET", "/api/units", owner) for _ in range(5)))
            blocker.rollback()
            return [*asked, await held]

        *refused, served = up.app.wait(hold_and_ask())

    assert all(is_refusal(answer) for answer in refused)
    assert served.status_code == 200


def test_refused_statements_do_not_pile_up_on_their_connection(fresh_database: Any) -> None:
    """The server keeps what was prepared for as long as the connection lives."""

    async def prepared_after_refusals(url: str) -> list[tuple[str, int]]:
        database = Database(Settings(database_url=url, pool_size=1, jwt_secret=SECRET))
        await database.open()
        try:
            who = Principal(uuid.uuid4(), "owner", None)
            for divisor in [0] * 8 + [1, 0, 1, 1] + [0] * 8:
                try:
                    await database.rows(who, "SELECT 1 / %(by)s::int", {"by": divisor}, int)
                except psycopg.errors.DivisionByZero:
                    assert divisor == 0
            return await database.rows(
                None,
                "SELECT statement, count(*) FROM pg_prepared_statements GROUP BY statement",
                {},
                lambda statement, count: (statement, count),
            )
        finally:
            await database.close()

    with fresh_database() as url:
        left = asyncio.run(prepared_after_refusals(url))

    assert ("SELECT 1 / $1::int", 1) in left
    assert {count for _, count in left} == {1}


def test_a_statement_cancelled_while_it_is_prepared_can_be_used_again(fresh_database: Any) -> None:
    """A lock on the table stops the server in Parse, where a time-out may find it."""
    with (
        fresh_database() as url,
        site(url, Variant(), pool_size=1) as up,
        psycopg.connect(url) as blocker,
        ThreadPoolExecutor(1) as thread,
    ):
        owner = up.world.owner()
        assert up.call("GET", "/api/units", owner).status_code == 200
        blocker.execute("LOCK TABLE gites")
        waiting = thread.submit(up.call, "GET", "/api/units", owner)
        up.world.wait_for_lock("list_units")
        up.world.run(
            "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database()"
        )
        assert is_refusal(waiting.result(timeout=30))
        blocker.rollback()

        assert [up.call("GET", "/api/units", owner).status_code for _ in range(3)] == [200] * 3


# malformed input ------------------------------------------------------------------------------

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.sampled_from(["2026-02-30", "9999-12-31", "0001-01-01", "\x00", "é" * 300, ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=4,
)
KEYS = [
    *("email", "password", "gite_id", "date_debut", "date_fin", "client_nom", "client_email"),
    *("voyageurs", "plateforme", "status", "prix_centimes", "nom", "ville", "code_postal"),
    *("capacite", "couleur", "actif", "ical_url", "name", "city", "school_id", "position"),
    *("size_bytes", "plan"),
]
bodies = anything | st.dictionaries(st.sampled_from(KEYS), anything, max_size=8)
QUERIES = [
    "page",
    "after",
    "from",
    "to",
    "platform",
    "status",
    "gite_id",
    "q",
    "year",
    "threshold",
    "date",
]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_input_makes_the_server_fail(
    house: Site, people: list[Principal], data: st.DataObject
) -> None:
    """Any route, any JSON or bytes, any query: an answer or a refusal, never a 500."""
    who = data.draw(st.sampled_from(people))
    method, template = data.draw(st.sampled_from(_templates(house)))
    segment = data.draw(st.just(str(uuid.uuid4())) | st.text("ab%é/.\x00 0'", max_size=12))
    path = re.sub(r"\{\w+\}", lambda _: httpx.QueryParams({"x": segment}).__str__()[2:], template)
    query = data.draw(
        st.dictionaries(
            st.sampled_from(QUERIES),
            st.text(max_size=12) | st.integers().map(str) | st.dates().map(str),
            max_size=3,
        )
    )
    sent: dict[str, Any] = {"params": query}
    if method != "GET":
        raw = data.draw(st.none() | st.binary(max_size=30))
        if raw is None:
            sent["content"] = json.dumps(data.draw(bodies)).encode()
        else:
            sent["content"] = raw
        sent["headers"] = {"Content-Type": "application/json"}

    answer = house.call(method, path, who, **sent)

    assert answer.status_code < 500, (method, path, query, answer.text)
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b'{"nom": "\\ud800", "ville": "D", "code_postal": "1", "capacite": 1}', 400),
        (b'{"nom": "a\\u0000b", "ville": "D", "code_postal": "1", "capacite": 1}', 400),
        (b'{"nom": "a", "ville": "D", "code_postal": "1", "capacite": 1e999}', 400),
        (b"[" * 5000, 400),
    ],
    ids=["empty", "cut", "not utf-8", "lone surrogate", "nul", "infinity", "deep"],
)
def test_malformed_json_is_refused(
    house: Site, people: list[Principal], content: bytes, status: int
) -> None:
    answer = house.call(
        "POST",
        "/api/units",
        people[0],
        content=content,
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_client_that_leaves_in_the_middle_of_its_body_is_not_a_failure_of_ours(
    house: Site, people: list[Principal]
) -> None:
    token = TOKENS.issue(people[0])
    scope: Any = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/api/units",
        "raw_path": b"/api/units",
        "query_string": b"",
        "root_path": "",
        "server": ("app", 80),
        "client": ("127.0.0.1", 1),
        "headers": [
            (b"authorization", f"Bearer {token}".encode()),
            (b"content-type", b"application/json"),
            (b"content-length", b"500"),
        ],
    }
    received = iter(
        [
            {"type": "http.request", "body": b'{"nom":', "more_body": True},
            {"type": "http.disconnect"},
        ]
    )
    sent: list[Any] = []

    async def receive() -> Any:
        return next(received)

    async def send(message: Any) -> None:
        sent.append(message)

    house.app.wait(house.app.app(scope, receive, send))

    assert sent[0]["status"] == 400


@pytest.fixture(scope="module")
def people(house: Site) -> list[Principal]:
    return [house.world.owner(), house.world.group("institutional"), house.world.super_admin()]


def _templates(house: Site) -> list[tuple[str, str]]:
    return sorted(
        (method, route.path_format)
        for route in house.app.app.routes
        for method in getattr(route, "methods", ())
        if method != "OPTIONS" and route.path_format.startswith("/api")
    )
