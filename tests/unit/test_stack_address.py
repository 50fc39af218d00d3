"""Database addresses survive any name and never show a password."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palier.errors import StackError
from palier.stack.address import make_url, parts_of, shown, with_login, without_password

# libpq refuses NUL; anything else may be in a name.
names = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)
hosts = st.sampled_from(["127.0.0.1", "::1", "db.example.com", "/var/run/postgresql", "a,b"])


@given(names, names, names, hosts)
def test_every_part_comes_back_as_it_was_given(user, password, dbname, host):
    port = "1,2" if host == "a,b" else "5432"
    url = make_url(host=host, port=port, dbname=dbname, user=user, password=password)

    assert parts_of(url) == {
        "host": host,
        "port": port,
        "dbname": dbname,
        "user": user,
        "password": password,
    }


@given(names, names, names)
def test_another_login_changes_nothing_else(user, password, dbname):
    url = "postgresql://boss:secret@db.example.com:6000/main?sslmode=require"

    parts = parts_of(with_login(url, dbname=dbname, user=user, password=password))

    assert parts == {
        "host": "db.example.com",
        "port": "6000",
        "sslmode": "require",
        "dbname": dbname,
        "user": user,
        "password": password,
    }


def test_another_role_does_not_inherit_the_password():
    url = "postgresql://boss:secret@127.0.0.1/main"

    assert "secret" not in with_login(url, user="app")
    assert without_password(url) == "postgresql://boss@127.0.0.1:5432/main"


def test_another_database_keeps_role_and_password():
    assert (
        with_login("host=db port=1 user=u password=p dbname=a", dbname="b")
        == "postgresql://u:p@db:1/b"
    )


def test_what_is_shown_has_no_password():
    assert shown("postgresql://boss:secret@db:6000/main") == "boss@db:6000/main"


def test_something_else_is_refused_with_an_example():
    with pytest.raises(StackError, match="postgresql://user:password@host"):
        parts_of("definitely not")
