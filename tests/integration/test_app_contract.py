"""The application keeps its own OpenAPI document, whoever asks and whatever is sent.

Requests are made from the document by schemathesis and sent to a real server on a seeded database.
Ids and guests' tokens in paths are real ones half of the time, so that requests get past "not
found".
"""

from __future__ import annotations

import http.client
import json
import os
import random
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest
import schemathesis
from app_support import SECRET, TOKENS, app_login
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import checks

from palier.model.identity import guest_token, owner_id, row_id, school_group_id
from palier.model.parse import load_catalogue
from palier.model.tier import StackSpec
from palier.model.variant import Variant as HarnessVariant
from palier.stack.app import start_app
from palier.stack.workspace import Workspace
from reference_app.identity.principal import Principal
from reference_app.migrate import migrate
from reference_app.variant import Variant
from seed.dataset import seed_database

pytestmark = pytest.mark.db

DATA_SEED = 1
RANDOM_SEED = int(os.environ.get("PALIER_TEST_SEED", "20261127"))

WHO = ("owner", "group_admin", "super_admin", "guest", "support", "learner", "nobody")

CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


@dataclass(frozen=True, slots=True)
class Served:
    """A running server, its description, and what there is to ask for.

    Attributes:
        url: Its address.
        schema: Its OpenAPI document, loaded.
        headers: How each of ``WHO`` signs.
        log: What it says of itself.
        known: Real values of path parameters, by path up to them.
    """

    url: str
    schema: Any
    headers: dict[str, dict[str, str]]
    log: Path
    known: dict[str, list[str]] = field(default_factory=dict)

    def operations(self) -> list[Any]:
        return [found.ok() for found in self.schema.get_all_operations()]


@pytest.fixture(scope="module")
def served(fresh_database: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    tier = load_catalogue(Path("tiers.yaml")).tier("lou-0")
    variant = Variant(indexes="full", pagination="offset", row_security="wrapped", cache="memory")
    owner = owner_id(seed=DATA_SEED, owner=0)
    me = Principal(owner, "owner", owner)
    with (
        fresh_database() as admin_url,
        Workspace.create(purpose="test", logs=tmp_path_factory.mktemp("logs")) as workspace,
    ):
        migrate(admin_url, "before-data", variant)
        seed_database(
            admin_url, tier, DATA_SEED, after_data=lambda: migrate(admin_url, "after-data", variant)
        )
        app = start_app(
            workspace,
            spec=StackSpec(app_processes=1, pool_size=8),
            variant=HarnessVariant(
                indexes="full", pagination="offset", row_security="wrapped", cache="memory"
            ),
            environment={
                "APP_DATABASE_URL": app_login(admin_url),
                "APP_JWT_SECRET": SECRET,
                "APP_RATE_LIMIT_PER_MIN": "off",
                # Webhooks and payments are on, and nobody outside is there to answer.
                "WEBHOOK_SECRET": SECRET,
                "APP_PAYMENT_URL": "http://cards.example",
                "PAYMENT_SECRET": SECRET,
                "APP_OUTBOUND_PROXY": "http://127.0.0.1:1",
            },
        )
        group = school_group_id(seed=DATA_SEED, group=0)
        administrator = row_id(seed=DATA_SEED, kind="group_admin", tenant=0, index=0)
        office = owner_id(seed=DATA_SEED, owner=10**9)
        people = {
            "owner": me,
            "group_admin": Principal(administrator, "group_admin", group),
            "super_admin": Principal(office, "super_admin", None),
            "support": Principal(office, "support", None),
            "learner": Principal(
                row_id(seed=DATA_SEED, kind="learner", tenant=0, index=0), "learner", None
            ),
        }
        headers = {
            name: {"Authorization": f"Bearer {TOKENS.issue(who)}"} for name, who in people.items()
        }
        document = httpx.get(f"{app.url}/schema/openapi.json").raise_for_status().json()
        schema = schemathesis.openapi.from_dict(document)
        schema.config.base_url = app.url
        found = Served(
            app.url,
            schema,
            {**headers, "guest": {}, "nobody": {}},
            app.process.log_path,
        )
        found.known["/api/guest/"] = [guest_token(seed=DATA_SEED, owner=0, index=0)]
        for path in document["paths"]:
            collection = path.partition("{")[0]
            if collection != path and collection not in found.known:
                found.known[collection] = [
                    known for sign in headers.values() for known in _ids(app.url + collection, sign)
                ]
        yield found


def _ids(address: str, headers: dict[str, str]) -> list[str]:
    """Ids of the rows that a list names; none where there is no such list for this person."""
    answer = httpx.get(address.rstrip("/"), headers=headers)
    if answer.status_code != http.HTTPStatus.OK:
        return []
    body = answer.json()
    rows = body.get("items", []) if isinstance(body, dict) else body
    return [str(row[key]) for row in rows for key in ("id", "task_id") if key in row][:20]


def _with_real_values(case: Any, known: dict[str, list[str]], choose: random.Random) -> None:
    """Half of the time, a value that exists in the place of the first path parameter."""
    values = known.get(case.path.partition("{")[0], [])
    names = re.findall(r"{(\w+)}", case.path)
    if values and names and choose.random() < 0.5:
        case.path_parameters[names[0]] = choose.choice(values)


@pytest.mark.covers("B-95", "B-146")
@pytest.mark.parametrize("who", WHO)
def test_every_answer_is_one_that_the_description_names(served: Served, who: str) -> None:
    # A learner's own part alone, as everything else refuses them; the long test asks for it all.
    _check_the_description(served, who, examples=2, tag="learning" if who == "learner" else None)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("who", WHO)
def test_every_answer_is_one_that_the_description_names_at_length(served: Served, who: str) -> None:
    _check_the_description(served, who, examples=60)


def _check_the_description(served: Served, who: str, examples: int, tag: str | None = None) -> None:
    for operation in served.operations():
        if tag is not None and tag not in operation.definition.raw.get("tags", ()):
            continue

        @seed(RANDOM_SEED)
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(), number=st.integers(0, 2**32))
        def ask(case: Any, number: int) -> None:
            _with_real_values(case, served.known, random.Random(number))
            case.call_and_validate(
                base_url=served.url, headers=served.headers[who], checks=CHECKS, timeout=20
            )

        ask()


# mutated requests -----------------------------------------------------------------------------

NASTY: tuple[Any, ...] = (
    None, True, 0, -1, 2**63, 10**400, 1e308, -0.0, "", " ", "\x00", "\ud800", "é" * 3000, "'",
    '"', "%", "%00", "../..", "🏠", "2026-02-30", "9999-12-31", "0001-01-01", [], {}, [[[[]]]],
    {"a": {}}, "00000000-0000-0000-0000-000000000000", "-infinity", "NaN", "\\u0000",
    "1; DROP TABLE users",
)  # fmt: skip


@dataclass(slots=True)
class Message:
    """A request as it goes over the wire; ``document`` is what its body says."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    document: Any
    body: bytes


def _mutate(message: Message, chance: random.Random) -> None:
    """One thing about it is wrong, or odd, in a way the description does not foresee."""
    how = chance.randrange(9)
    if how == 0 and message.body:
        message.document = _worse(message.document, chance)
        message.body = json.dumps(message.document).encode()
    elif how == 1 and message.body:
        place = chance.randrange(len(message.body))
        message.body = message.body[:place] + chance.randbytes(1) + message.body[place + 1 :]
    elif how == 2 and message.body:
        message.body = message.body[: chance.randrange(len(message.body))]
    elif how == 3:
        segments = message.path.split("/")
        segments[chance.randrange(len(segments))] = quote(_text(chance), safe="")
        message.path = "/" + "/".join(segments).lstrip("/")
    elif how == 4:
        message.query.append((chance.choice(("page", "after", "from", "q", "year")), _text(chance)))
    elif how == 5 and message.query:
        name, _ = chance.choice(message.query)
        message.query.append((name, _text(chance)))
    elif how == 6:
        message.method = chance.choice(("GET", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "HEAD"))
    elif how == 7:
        name = chance.choice(("Content-Type", "Accept", "If-None-Match", "Accept-Encoding"))
        message.headers[name] = chance.choice(
            ("", "*", "*/*", "text/xml", "application/json; charset=utf-7", '"x', "W/", "gzip;q=x")
        )
    else:
        message.headers["Authorization"] = chance.choice(
            ("", "Bearer", "Bearer x.y.z", "Basic eDp5", "Bearer " + "a" * 5000, "bearer \t")
        )


def _worse(value: Any, chance: random.Random) -> Any:
    """The JSON value with one of its parts replaced, removed or added."""
    if isinstance(value, dict) and value and chance.random() < 0.8:
        name = chance.choice(sorted(value))
        if chance.random() < 0.15:
            return {key: item for key, item in value.items() if key != name}
        return {**value, name: _worse(value[name], chance)}
    return chance.choice(NASTY)


def _text(chance: random.Random) -> str:
    value = chance.choice(NASTY)
    text = value if isinstance(value, str) else str(value)[:300]
    return text.encode("utf-8", "replace").decode()


def _message(case: Any, headers: dict[str, str]) -> Message:
    sent = case.as_transport_kwargs(base_url="http://app")
    address = urlsplit(sent["url"])
    return Message(
        sent["method"],
        address.path,
        [(str(name), str(value)) for name, value in (case.query or {}).items()],
        {**headers, "Content-Type": "application/json"},
        sent.get("json"),
        b"" if sent.get("json") is None else json.dumps(sent["json"]).encode(),
    )


class Wire:
    """A connection that is opened again when the server has closed it."""

    def __init__(self, url: str) -> None:
        self._host = urlsplit(url).netloc
        self._connection = http.client.HTTPConnection(self._host, timeout=20)

    def close(self) -> None:
        self._connection.close()

    def status_of(self, message: Message) -> int:
        query = "&".join(f"{quote(name)}={quote(value)}" for name, value in message.query)
        target = message.path + (f"?{query}" if query else "")
        for is_last in (False, True):
            try:
                self._connection.request(
                    message.method, target, message.body or None, message.headers
                )
                answer = self._connection.getresponse()
                answer.read()
                return answer.status
            except (http.client.HTTPException, ConnectionError):
                # The server may close a connection after a request that is none; a second refusal
                # of a fresh connection would be a crash.
                self._connection.close()
                if is_last:
                    raise
        raise AssertionError("the last try returns or raises")


def _send_mutated(served: Served, requests: int) -> None:
    operations = served.operations()
    each = -(-requests // len(operations))
    sent = 0

    def mutate_requests_of(operation: Any, wire: Wire) -> None:
        @seed(RANDOM_SEED)
        @settings(
            max_examples=each,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(), number=st.integers(0, 2**32))
        def ask(case: Any, number: int) -> None:
            nonlocal sent
            chance = random.Random(number)
            _with_real_values(case, served.known, chance)
            message = _message(case, served.headers[chance.choice(WHO)])
            for _ in range(chance.choice((1, 1, 2, 3))):
                _mutate(message, chance)
            sent += 1
            status = wire.status_of(message)
            assert status < http.HTTPStatus.INTERNAL_SERVER_ERROR, (
                message,
                served.log.read_text()[-3000:],
            )

        ask()

    with closing(Wire(served.url)) as wire:
        for operation in operations:
            mutate_requests_of(operation, wire)
    assert sent >= requests, f"only {sent} requests were made, seed {RANDOM_SEED}"


def test_a_mutated_request_is_refused_and_never_an_error_of_ours(served: Served) -> None:
    _send_mutated(served, 600)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_ten_thousand_mutated_requests_are_refused_and_never_an_error_of_ours(
    served: Served,
) -> None:
    _send_mutated(served, 10_000)
