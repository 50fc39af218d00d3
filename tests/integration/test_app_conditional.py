"""Conditional requests and compression over HTTP, with and without a cache."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from app_support import Site, site, site_on

from reference_app.identity.principal import Principal
from reference_app.variant import Variant

pytestmark = pytest.mark.db

DAY = date(2026, 7, 1)
LIST = "/api/reservations"


@pytest.fixture(scope="module")
def plain(fresh_database: Any) -> Iterator[Site]:
    with fresh_database() as url, site(url, Variant(cache="memory"), pool_size=4) as up:
        yield up


@pytest.fixture(scope="module")
def packing(plain: Site) -> Iterator[Site]:
    """The same database behind an application that compresses."""
    variant = Variant(cache="memory", compression=True)
    with site_on(plain.world.admin_url, plain.app_url, variant, pool_size=2) as up:
        yield up


@pytest.fixture
def owner(plain: Site) -> Principal:
    """With enough stays for a list that is worth compressing."""
    owner = plain.world.owner()
    unit = plain.world.unit(owner)
    for nights in range(10):
        day = DAY + timedelta(days=nights)
        plain.world.reservation(owner, unit, day, day + timedelta(days=1))
    return owner


def get(up: Site, path: str, owner: Principal, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return up.call("GET", path, owner, headers={"accept-encoding": "identity", **named})


@pytest.mark.parametrize(
    "path", [LIST, "/api/units", "/api/statistics?year=2026", "/api/dashboard?date=2026-07-01"]
)
def test_who_has_the_answer_is_told_so_without_it(plain: Site, owner: Principal, path: str) -> None:
    first = get(plain, path, owner)

    again = get(plain, path, owner, if_none_match=first.headers["etag"])

    assert (first.status_code, again.status_code) == (200, 304)
    assert again.content == b""
    for name in ("etag", "cache-control", "vary"):
        assert again.headers[name] == first.headers[name]
    assert first.headers["cache-control"] == "private, no-cache"
    assert {"Authorization", "Accept-Encoding"} <= set(first.headers["vary"].split(", "))
    assert not first.headers["etag"].startswith("W/")


def test_a_write_gives_another_tag(plain: Site, owner: Principal) -> None:
    tag = get(plain, LIST, owner).headers["etag"]
    unit = get(plain, "/api/units", owner).json()[0]["id"]
    body = {
        "gite_id": unit,
        "date_debut": "2027-01-01",
        "date_fin": "2027-01-02",
        "client_nom": "Anne Martin",
    }
    assert plain.call("POST", LIST, owner, json=body).status_code == 201

    after = get(plain, LIST, owner, if_none_match=tag)

    assert after.status_code == 200
    assert after.headers["etag"] != tag


def test_one_reservation_can_be_asked_for_conditionally(plain: Site, owner: Principal) -> None:
    first = get(plain, LIST, owner).json()["items"][0]["id"]
    tag = get(plain, f"{LIST}/{first}", owner).headers["etag"]
    assert get(plain, f"{LIST}/{first}", owner, if_none_match=tag).status_code == 304


def test_a_compressed_answer_has_a_weak_tag_that_is_as_good(
    packing: Site, owner: Principal
) -> None:
    bare = get(packing, LIST, owner)
    packed = get(packing, LIST, owner, accept_encoding="gzip")

    assert "content-encoding" not in bare.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json() == bare.json()
    assert packed.headers["etag"] == "W/" + bare.headers["etag"]
    for coding in ("gzip", "identity"):
        for known in (packed, bare):
            tag = known.headers["etag"]
            again = get(packing, LIST, owner, accept_encoding=coding, if_none_match=tag)
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == tag
            assert "content-encoding" not in again.headers


def test_a_small_answer_is_not_compressed(packing: Site) -> None:
    nobody = packing.world.owner()
    answer = get(packing, "/api/units", nobody, accept_encoding="gzip")
    assert answer.json() == []
    assert "content-encoding" not in answer.headers
    assert not answer.headers["etag"].startswith("W/")


def test_a_file_that_is_streamed_is_compressed_on_its_way(packing: Site, owner: Principal) -> None:
    path = "/api/exports/reservations.csv"
    bare = get(packing, path, owner)
    packed = get(packing, path, owner, accept_encoding="gzip")

    assert "content-encoding" not in bare.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-length" not in packed.headers
    assert packed.text == bare.text
    assert len(bare.text.splitlines()) == 11


@pytest.mark.parametrize("refusal", ["gzip;q=0", "br, gzip;q=0.000", "identity"])
def test_who_wants_no_gzip_gets_none(packing: Site, owner: Principal, refusal: str) -> None:
    answer = get(packing, LIST, owner, accept_encoding=refusal)
    assert "content-encoding" not in answer.headers


def test_the_description_names_the_tag_and_the_304(plain: Site) -> None:
    paths = plain.call("GET", "/schema/openapi.json").json()["paths"]
    for path in (LIST, f"{LIST}/{{reservation_id}}", "/api/units", "/api/statistics"):
        answers = paths[path]["get"]["responses"]
        assert set(answers["200"]["headers"]) >= {"ETag", "X-Cache"}
        assert "content" not in answers["304"]
        assert answers["200"]["content"]["application/json"]["schema"]
