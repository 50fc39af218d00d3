"""Which addresses may be asked: whatever is typed, it is one that may be or it is refused."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reference_app.outbound.address import AddressRefusedError, checked_public, public_place

HOSTS = st.one_of(
    st.text(max_size=80),
    st.ip_addresses().map(str),
    st.ip_addresses(v=6).map(lambda address: f"[{address}]"),
    st.from_regex(r"(xn--)?[a-z0-9.-]{1,70}(\.example)?", fullmatch=True),
)


@given(
    scheme=st.sampled_from(["http://", "https://", "ftp://", "//", ""]),
    host=HOSTS,
    rest=st.text(max_size=20),
)
@example("http://", "xn--a", "/")
@example("https://", ".example", "/")
def test_any_text_is_an_address_that_may_be_asked_or_refused(
    scheme: str, host: str, rest: str
) -> None:
    try:
        url = checked_public(scheme + host + rest)
    except AddressRefusedError:
        return
    assert url.scheme in ("http", "https")
    assert not url.userinfo
    assert "." in url.host or ":" in url.host


@given(st.ip_addresses())
def test_an_address_as_a_number_may_be_asked_when_it_is_public(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    host = f"[{address}]" if address.version == 6 else f"{address}"
    is_public = address.is_global and not address.is_multicast
    if is_public:
        assert checked_public(f"https://{host}/hook").host == str(address)
    else:
        with pytest.raises(AddressRefusedError):
            checked_public(f"https://{host}/hook")


def test_a_name_with_one_address_that_is_not_public_is_not_trusted() -> None:
    assert public_place("name", ["93.184.215.14"]) == "93.184.215.14"
    with pytest.raises(AddressRefusedError):
        public_place("name", ["93.184.215.14", "10.0.0.1"])
