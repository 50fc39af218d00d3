"""One request, sent once, on a connection that is kept for the next one."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Final

import gevent.ssl
from gevent import getcurrent

from scenarios.client.answer import Answer
from scenarios.client.connection import Connection, TlsConnection, open_connection
from scenarios.client.cookies import Cookies
from scenarios.client.deadlines import Deadlines
from scenarios.client.errors import TimeIsUp, of_system
from scenarios.client.head import Heads, Origin
from scenarios.operation import TimedOut

NO_WHOLE_ANSWER: Final = "no whole answer"


class Client:
    """The client of one loader for one service, for all its sessions.

    Connections are kept alive and shared, the one used last first, so that as few are open as the
    load needs. There is no bound on them: sessions are bounded, and waiting for one is recorded.
    A request is sent once, and what happens to it is the result. A redirect is an answer.

    Args:
        base_url: Address of the service.
        timeout_s: Limit of a request as a whole.
        connect_timeout_s: Limit of opening a connection, if that shall be shorter.
        verify: Whether the certificate of an https service must be trusted.
        context: For https, in place of the usual one; gevent's ``SSLContext``, or the standard
            library's once Locust has patched it.
        headers: Headers of every request.
    """

    def __init__(
        self,
        base_url: str,
        *,
        timeout_s: float,
        connect_timeout_s: float | None = None,
        verify: bool = True,
        context: ssl.SSLContext | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.origin = Origin.of(base_url)
        self.url = self.origin.url
        self._heads = Heads(self.origin, headers or {})
        self._timeout_s = timeout_s
        self._connect_timeout_s = min(connect_timeout_s or timeout_s, timeout_s)
        self._deadlines = Deadlines(timeout_s)
        self._context: ssl.SSLContext | None = None
        if self.origin.tls:
            self._context = context or _usual_context(verify=verify)
        self._idle: list[Connection | TlsConnection] = []

    def prepare(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        cookies: Cookies | None = None,
    ) -> bytes:
        """The bytes of a request, for ``send``.

        Raises:
            ScenarioError: It would not be a request.
        """
        cookie = cookies.header(path) if cookies else ""
        if body is None:
            # Some servers wait for a body unless they are told that there is none.
            length = 0 if method in ("POST", "PUT", "PATCH") else None
            return self._heads.head(method, path, headers, length, cookie)
        return self._heads.head(method, path, headers, len(body), cookie) + body

    def send(self, method: str, path: str, request: bytes, started_ns: int) -> Answer:
        """Send a prepared request and wait for the whole answer.

        Args:
            method: Its method.
            path: Its path.
            request: Its bytes.
            started_ns: When its time began to run.

        Raises:
            Failed: No answer, or not a whole one.
            TimedOut: Not within the limit; the message tells what was still to come.
            GeneratorError: This machine, not the service, could not open a connection.
        """
        greenlet = getcurrent()
        deadlines = self._deadlines
        due_ns = deadlines.waiting[greenlet] = started_ns + deadlines.limit_ns
        if not deadlines.armed:
            deadlines.watch()
        connection: Connection | TlsConnection | None = None
        sent = False
        try:
            connection = self._take()
            reader = connection.reader
            reader.expect(no_body=method == "HEAD")
            try:
                connection.send(request)
                sent = True
            except ConnectionError:
                pass  # hung up on; the answer, if there is one, says why
            while not reader.done:
                reader.feed(connection.receive())
            came_ns = connection.came_ns(started_ns)
            if came_ns > due_ns:
                raise TimedOut(self._too_late(NO_WHOLE_ANSWER))
            raw = b"".join(reader.parts)
            answer = Answer(reader.status, reader.head, raw, self.url + path, came_ns)
            if reader.keep_alive and sent:
                self._idle.append(connection)
                connection = None
            return answer
        except TimeIsUp:
            raise TimedOut(self._too_late(_still_to_come(connection, sent))) from None
        except OSError as error:
            raise of_system(error, otherwise=NO_WHOLE_ANSWER) from None
        finally:
            deadlines.waiting.pop(greenlet, None)
            if connection is not None:
                connection.close()

    def close(self) -> None:
        """Close what is kept."""
        while self._idle:
            self._idle.pop().close()
        self._deadlines.close()

    def _too_late(self, what: str) -> str:
        return f"{what} in {self._timeout_s:g} s"

    def _take(self) -> Connection | TlsConnection:
        """A connection that is open as far as one can know before sending."""
        while self._idle:
            connection = self._idle.pop()
            if connection.is_idle():
                return connection
            connection.close()
        try:
            return open_connection(
                self.origin.host,
                self.origin.port,
                timeout_s=self._connect_timeout_s,
                context=self._context,
            )
        except OSError as error:
            if isinstance(error, TimeoutError) and error.errno is None:  # our own limit
                raise TimedOut(f"no connection in {self._connect_timeout_s:g} s") from None
            raise of_system(error, otherwise="no connection") from None


def _usual_context(*, verify: bool) -> ssl.SSLContext:
    # gevent's class by name: what makes contexts is patched only once Locust has been imported.
    context: ssl.SSLContext = gevent.ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if verify:
        context.load_default_certs()
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _still_to_come(connection: Connection | TlsConnection | None, sent: bool) -> str:
    """What a request that ran out of time was waiting for."""
    if connection is None:
        return "no connection"
    if not sent:
        return "the request could not be sent"
    return NO_WHOLE_ANSWER if connection.reader.began else "no answer"
