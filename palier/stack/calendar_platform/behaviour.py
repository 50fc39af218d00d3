"""How a platform answers: the path decides, so whoever writes an address into a gîte chooses.

| Path | Answer |
|---|---|
| ``/LISTING.ics`` | the feed; 304 when ``If-None-Match`` names it |
| ``/empty/LISTING.ics`` | a calendar without events |
| ``/many/N/LISTING.ics`` | N events |
| ``/slow/MS/LISTING.ics`` | the feed after so many milliseconds |
| ``/hold/NAME/LISTING.ics`` | the feed once ``POST /release/NAME`` was called |
| ``/trickle/MS/LISTING.ics`` | the feed, a byte every so many milliseconds |
| ``/flaky/N/LISTING.ics`` | 500 for the first N requests of this path, then the feed |
| ``/status/CODE/LISTING.ics`` | that status |
| ``/reset/LISTING.ics`` | the connection is reset |
| ``/half/LISTING.ics`` | half of the promised bytes, then the end |
| ``/redirect/N/LISTING.ics`` | N redirects, then the feed |
| ``/redirect/WHERE/LISTING.ics`` | to a place of ``FORBIDDEN``, or ``loop`` |
| ``/huge/LISTING.ics`` | a feed that does not end before ``HUGE_BYTES`` |
| ``/packed/LISTING.ics`` | the feed, compressed although nobody asked for that |
| ``/malformed/KIND/LISTING.ics`` | one of ``MALFORMED`` |
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import re
import socket
import struct
from collections import defaultdict
from http import HTTPStatus

from palier.stack.calendar_platform.feeds import feed_text, listed_stays, many_stays
from palier.stack.calendar_platform.request import Answer, Request

HUGE_BYTES = 256 * 1024 * 1024
MANY_MAX = 100_000

FORBIDDEN = {
    "elsewhere": "http://elsewhere.example/calendar.ics",
    "metadata": "http://169.254.169.254/latest/meta-data/",
    "local": "http://127.0.0.1:5432/",
    "file": "file:///etc/passwd",
    "port": "http://calendar.airbnb.example:8080/calendar.ics",
    "credentials": "http://user:secret@calendar.airbnb.example/calendar.ics",
}
"""Places a careful reader does not follow a redirect to."""

_HEAD = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//example//EN\r\n"
_DAYS = "DTSTART;VALUE=DATE:20300105\r\nDTEND;VALUE=DATE:20300108\r\n"

MALFORMED: dict[str, bytes] = {
    kind: text.encode()
    for kind, text in {
        "html": "<!doctype html><title>Maintenance</title>",
        "nothing": "",
        "truncated": f"{_HEAD}BEGIN:VEVENT\r\nUID:1@airbnb.example\r\n{_DAYS}END:VEVENT\r\n",
        "no-date": f"{_HEAD}BEGIN:VEVENT\r\nUID:1\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        "bad-date": f"{_HEAD}BEGIN:VEVENT\r\nUID:1\r\nDTSTART:tomorrow\r\nEND:VEVENT\r\n"
        "END:VCALENDAR\r\n",
        "no-uid": f"{_HEAD}BEGIN:VEVENT\r\n{_DAYS}END:VEVENT\r\nEND:VCALENDAR\r\n",
        "backwards": f"{_HEAD}BEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:20300108\r\n"
        "DTEND;VALUE=DATE:20300105\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        "recurring": f"{_HEAD}BEGIN:VEVENT\r\nUID:1\r\n{_DAYS}RRULE:FREQ=WEEKLY\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n",
    }.items()
} | {"binary": bytes(range(256)) * 16}

_STATUSES = frozenset(int(status) for status in HTTPStatus if status >= HTTPStatus.OK)

_PATH = re.compile(r"/(?:(?P<kind>[a-z]+)/(?:(?P<argument>[\w-]+)/)?)?(?P<listing>[\w.-]+)\.ics")


class ConnectionEnds(Exception):  # noqa: N818 - not an error: the behaviour that was asked for
    """The connection is to be closed after what was sent."""


class Behaviour:
    """The platforms' answers, and what they remember between requests.

    Args:
        seed: Decides what is in the feeds.

    Attributes:
        holding: How many requests wait at each ``/hold/NAME``.
        pinned: Feeds that were set by hand, by host and path.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._failed: defaultdict[str, int] = defaultdict(int)
        self._released: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.holding: defaultdict[str, int] = defaultdict(int)
        self.pinned: dict[str, bytes] = {}

    def release(self, name: str) -> None:
        """Let every request that waits at ``/hold/NAME`` go on, and those that come later."""
        self._released[name].set()

    async def answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        """Answer a request for a platform's host.

        Raises:
            ConnectionEnds: The connection must not be used for another request.
        """
        if request.host + request.path in self.pinned:
            await _send(writer, _feed(request, self.pinned[request.host + request.path]))
            return
        found = _PATH.fullmatch(request.path)
        if found is None or request.method != "GET":
            await _send(writer, Answer(status=HTTPStatus.NOT_FOUND))
            return
        await self._behave(
            request,
            writer,
            kind=found["kind"] or "",
            argument=found["argument"] or "",
            listing=found["listing"],
        )

    async def _behave(
        self, request: Request, writer: asyncio.StreamWriter, *, kind: str, argument: str,
        listing: str,
    ) -> None:  # fmt: skip
        feed = self._text(request.host, listing)
        number = int(argument) if argument.isdecimal() else 0
        match kind:
            case "":
                await _send(writer, _feed(request, feed))
            case "empty":
                await _send(writer, _feed(request, feed_text(request.host, ()).encode()))
            case "many":
                stays = many_stays(
                    seed=self._seed, host=request.host, listing=listing,
                    count=min(number, MANY_MAX),
                )  # fmt: skip
                await _send(writer, _feed(request, feed_text(request.host, stays).encode()))
            case "slow":
                await asyncio.sleep(number / 1000)
                await _send(writer, _feed(request, feed))
            case "hold":
                self.holding[argument] += 1
                try:
                    await self._released[argument].wait()
                finally:
                    self.holding[argument] -= 1
                await _send(writer, _feed(request, feed))
            case "trickle":
                await _trickle(writer, feed, pause_s=number / 1000)
            case "flaky":
                where = request.host + request.path
                self._failed[where] += 1
                if self._failed[where] > number:
                    await _send(writer, _feed(request, feed))
                else:
                    await _send(writer, Answer(status=HTTPStatus.INTERNAL_SERVER_ERROR))
            case "status" if number in _STATUSES:
                await _send(writer, Answer(status=number))
            case "reset":
                reset(writer)
                raise ConnectionEnds
            case "half":
                writer.write(_feed(request, feed).encode()[: -len(feed) // 2])
                raise ConnectionEnds
            case "redirect":
                await _send(writer, _redirect(request, argument, listing))
            case "huge":
                await _endless(writer)
                raise ConnectionEnds
            case "packed":
                packed = {"Content-Encoding": "gzip"}
                await _send(writer, Answer(headers=packed, body=gzip.compress(feed, mtime=0)))
            case "malformed" if argument in MALFORMED:
                await _send(writer, _feed(request, MALFORMED[argument]))
            case _:
                await _send(writer, Answer(status=HTTPStatus.NOT_FOUND))

    def _text(self, host: str, listing: str) -> bytes:
        stays = listed_stays(seed=self._seed, host=host, listing=listing)
        return feed_text(host, stays).encode()


def _feed(request: Request, body: bytes) -> Answer:
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    if request.headers.get("if-none-match") == etag:
        return Answer(status=HTTPStatus.NOT_MODIFIED, headers={"ETag": etag})
    return Answer(headers={"Content-Type": "text/calendar; charset=utf-8", "ETag": etag}, body=body)


def _redirect(request: Request, argument: str, listing: str) -> Answer:
    if argument == "loop":
        location = request.path
    elif argument.isdecimal():
        left = int(argument) - 1
        location = f"/redirect/{left}/{listing}.ics" if left > 0 else f"/{listing}.ics"
    else:
        location = FORBIDDEN.get(argument, f"/{listing}.ics")
    return Answer(status=HTTPStatus.FOUND, headers={"Location": location})


async def _send(writer: asyncio.StreamWriter, answer: Answer) -> None:
    writer.write(answer.encode())
    await writer.drain()


async def _trickle(writer: asyncio.StreamWriter, body: bytes, *, pause_s: float) -> None:
    whole = Answer(headers={"Content-Type": "text/calendar"}, body=body).encode()
    writer.write(whole[: -len(body)])
    for index in range(len(body)):
        writer.write(body[index : index + 1])
        await writer.drain()
        await asyncio.sleep(pause_s)


async def _endless(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/calendar\r\nConnection: close\r\n\r\n")
    writer.write(_HEAD.encode())
    line = b"X-PADDING:" + b"x" * 60 + b"\r\n"
    block = line * 1024
    for _ in range(HUGE_BYTES // len(block)):
        writer.write(block)
        await writer.drain()


def reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST instead of FIN: the kernel does so when it may not linger."""
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
