"""Fetching from platforms that are slow, wrong, endless or point somewhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from sync_support import AIRBNB, HOSTS, Platform, platform

from palier.stack.calendar_platform.behaviour import FORBIDDEN
from palier.stack.calendar_platform.feeds import feed_text, listed_stays
from reference_app.outbound import address as outbound
from reference_app.sync.calendars import Calendars, checked_address, platform_of
from reference_app.sync.errors import AddressRefusedError, FetchError, SyncError
from reference_app.sync.fetch import (
    BYTES_MAX,
    REDIRECTS_MAX,
    Fetched,
    Fetcher,
    Validators,
)


@pytest.fixture(scope="module")
def outside() -> Iterator[Platform]:
    with platform(seed=5) as running:
        yield running
        assert running.strangers() == {}, "somebody was asked who should not have been"


def fetch(
    calendars: Calendars, address: str, *, timeout_s: float = 20, known: Validators | None = None
) -> Fetched:
    async def once() -> Fetched:
        fetcher = Fetcher(calendars, timeout_s)
        try:
            return await fetcher.fetch(address, known)
        finally:
            await fetcher.close()

    return asyncio.run(once())


def expected(listing: str, host: str = AIRBNB) -> bytes:
    return feed_text(host, listed_stays(seed=5, host=host, listing=listing)).encode()


@pytest.mark.covers("B-127", "B-145")
@pytest.mark.parametrize("host", sorted(HOSTS))
def test_a_feed_is_fetched_through_the_proxy(outside: Platform, host: str) -> None:
    found = fetch(outside.calendars, f"http://{host}/123.ics#part")

    assert found.body == expected("123", host)
    assert platform_of(checked_address(f"http://{host}/", outside.calendars)) in host


def test_a_feed_that_has_not_changed_is_not_sent_again(outside: Platform) -> None:
    address = f"http://{AIRBNB}/same.ics"
    first = fetch(outside.calendars, address)

    second = fetch(outside.calendars, address, known=first.validators)
    third = fetch(outside.calendars, address, known=Validators(etag='"another"'))

    assert first.validators.etag is not None
    assert second == Fetched(None, first.validators)
    assert third == first


def test_redirects_are_followed_up_to_a_number(outside: Platform) -> None:
    for hops in range(1, REDIRECTS_MAX + 1):
        found = fetch(outside.calendars, f"http://{AIRBNB}/redirect/{hops}/1.ics")
        assert found.body == expected("1")
    for path in (f"redirect/{REDIRECTS_MAX + 1}", "redirect/loop"):
        with pytest.raises(FetchError, match="more than 3 redirects"):
            fetch(outside.calendars, f"http://{AIRBNB}/{path}/1.ics")


@pytest.mark.covers("B-144")
@pytest.mark.parametrize("where", sorted(FORBIDDEN))
def test_a_redirect_to_a_place_that_may_not_be_asked_is_not_followed(
    outside: Platform, where: str
) -> None:
    with pytest.raises(AddressRefusedError, match="a redirect was not followed") as refused:
        fetch(outside.calendars, f"http://{AIRBNB}/redirect/{where}/1.ics")

    assert "secret" not in str(refused.value)


@pytest.mark.covers("B-144")
@pytest.mark.parametrize(
    "address",
    [
        "http://elsewhere.example/1.ics",
        "http://calendar.airbnb.example.elsewhere.example/1.ics",
        "http://calendar.airbnb.example@127.0.0.1/1.ics",
        "http://user:secret@calendar.airbnb.example/1.ics",
        "http://calendar.airbnb.example:5432/1.ics",
        "http://127.0.0.1/1.ics",
        "http://[::1]/1.ics",
        "http://0x7f000001/1.ics",
        "file:///etc/passwd",
        "//calendar.airbnb.example/1.ics",
        "gopher://calendar.airbnb.example/",
        "",
        "http://",
        "http://calendar.airbnb.example/" + "x" * 2000,
        "http://calendar.airbnb.example/\x00",
    ],
)
def test_an_address_that_may_not_be_asked_is_refused_before_anything_is_sent(
    outside: Platform, address: str
) -> None:
    before = outside.counts()["requests"]
    with pytest.raises(AddressRefusedError) as refused:
        fetch(outside.calendars, address)

    assert outside.counts()["requests"] == before
    assert "secret" not in str(refused.value)


@pytest.mark.covers("B-144")
def test_without_a_proxy_only_public_addresses_are_asked() -> None:
    """Wherever the names of allowed hosts lead by now."""
    for host in ("localhost", "127.0.0.1"):
        with pytest.raises(AddressRefusedError, match="not on the public Internet"):
            fetch(Calendars(frozenset({host})), f"http://{host}/1.ics")
    for place in ("10.0.0.1", "169.254.169.254", "::1", "fd00::1", "224.0.0.1", "::ffff:10.0.0.1"):
        with pytest.raises(outbound.AddressRefusedError):
            outbound.public_place("name", ["93.184.215.14", place])
    assert outbound.public_place("name", ["93.184.215.14", "2606:2800::1"]) == "93.184.215.14"


def test_nothing_may_be_asked_when_no_host_is_named() -> None:
    with pytest.raises(AddressRefusedError):
        fetch(Calendars(), f"http://{AIRBNB}/1.ics")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("status/404", "the platform answered 404"),
        ("status/503", "the platform answered 503"),
        ("status/304", "the platform answered 304"),
        ("reset", "no answer"),
        ("half", "no answer"),
        ("packed", "compressed"),
        ("huge", "larger than 1024 KiB"),
    ],
)
def test_what_is_no_whole_answer_is_an_error_in_words(
    outside: Platform, path: str, reason: str
) -> None:
    with pytest.raises(FetchError, match=reason):
        fetch(outside.calendars, f"http://{AIRBNB}/{path}/1.ics")


def test_as_much_as_fits_is_taken_and_a_byte_more_is_not(outside: Platform) -> None:
    address = f"http://{AIRBNB}/bound.ics"
    outside.set_text(address, "x" * BYTES_MAX)
    assert len(fetch(outside.calendars, address).body or b"") == BYTES_MAX
    outside.set_text(address, "x" * (BYTES_MAX + 1))
    with pytest.raises(FetchError, match="larger"):
        fetch(outside.calendars, address)


@pytest.mark.covers("F-24")
@pytest.mark.parametrize("path", ["hold/no", "trickle/20"])
def test_the_time_is_for_the_whole_answer(outside: Platform, path: str) -> None:
    with pytest.raises(SyncError, match=r"no whole answer within 0\.3 s"):
        fetch(outside.calendars, f"http://{AIRBNB}/{path}/1.ics", timeout_s=0.3)


def test_a_proxy_that_is_gone_is_an_error_in_words() -> None:
    with pytest.raises(FetchError, match="no answer: ConnectError"):
        fetch(Calendars(HOSTS, "http://127.0.0.1:1"), f"http://{AIRBNB}/1.ics")
