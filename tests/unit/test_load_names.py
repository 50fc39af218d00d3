"""A name is asked for once; whoever asks later gets the same addresses and waits for nobody."""

from __future__ import annotations

import socket

import pytest

from scenarios.names import Names, ask_before_start


def test_a_name_that_was_asked_for_before_the_start_is_not_asked_for_again() -> None:
    names = Names()
    took_s = ask_before_start(names, "http://localhost:8080")
    assert took_s is not None
    assert took_s > 0

    found = names.getaddrinfo("localhost", 80, 0, socket.SOCK_STREAM)
    again = names.getaddrinfo(b"localhost", 81, socket.AF_INET, socket.SOCK_STREAM, 6)

    assert {address[1] for *_, address in found} == {80}
    assert [address[:2] for *_, address in again] == [("127.0.0.1", 81)]
    told = names.since_last()
    assert told.number == 0
    assert told.waits_s == ()


def test_a_new_name_is_waited_for_and_the_wait_is_told() -> None:
    names = Names()
    names.getaddrinfo("localhost", 80)
    told = names.since_last()
    assert told.number == 1
    assert len(told.waits_s) == 1


def test_an_address_needs_no_name_server() -> None:
    names = Names()
    assert ask_before_start(names, "http://127.0.0.1:80") is None
    ((*_, address),) = names.getaddrinfo("127.0.0.1", 80, 0, socket.SOCK_STREAM)
    assert address == ("127.0.0.1", 80)
    assert names.since_last().number == 0


def test_a_name_that_nobody_knows_is_an_error_and_counted() -> None:
    names = Names()
    with pytest.raises(socket.gaierror):
        names.getaddrinfo("no-such-host.invalid", 80)
    assert names.since_last().number == 1
