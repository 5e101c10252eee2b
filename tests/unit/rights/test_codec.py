"""Claims as bytes."""

from __future__ import annotations

import base64

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from authgw.rights.claims import Claims, Grant, HeaderLine, Scope
from authgw.rights.codec import Unreadable, decode, encode

CLAIMS = Claims(
    login="static",
    user="alice",
    id=101,
    grants=(
        Grant(
            flags=frozenset({"can_cdr", "can_pcap"}),
            limits=frozenset({"no_rtp"}),
            scope=Scope(
                sensors=(2, 3),
                ip=("!10.0.0.0/8",),
                number=("+4420%",),
                domain=("a.example",),
                vlan=(7,),
                headers_cdr=(HeaderLine(0, "X-Tenant", "acme%"),),
                headers_message=(HeaderLine(1, "X-A", "%"),),
                any_dimension=True,
                connected_only=True,
            ),
            can_audit=1,
            remove_expire_hours=24,
            label="noc",
        ),
        Grant(),
    ),
    name="Alice",
    tenant="acme",
    group_name="operators",
    preferences={"uc_enable_dns_cdr": True, "count_audit_log": 5, "uc_csv_field_separator": ";"},
)

# What version 1 stored for CLAIMS. These bytes lie in stores out there: they are never written anew here.
STORED_V1 = base64.b64decode(
    "iaVsb2dpbqZzdGF0aWOkdXNlcqVhbGljZaJpZGWmZ3JhbnRzkoalZmxhZ3OSp2Nhbl9jZHKoY2FuX3BjYXCmbGltaXRzkaZub19y"
    "dHClc2NvcGWJp3NlbnNvcnOSAgOiaXCRqyExMC4wLjAuMC84pm51bWJlcpGmKzQ0MjAlpmRvbWFpbpGpYS5leGFtcGxlpHZsYW6R"
    "B6toZWFkZXJzX2NkcpGDpWxldmVsAKRuYW1lqFgtVGVuYW50p3BhdHRlcm6lYWNtZSWvaGVhZGVyc19tZXNzYWdlkYOlbGV2ZWwB"
    "pG5hbWWjWC1Bp3BhdHRlcm6hJa1hbnlfZGltZW5zaW9uw65jb25uZWN0ZWRfb25secOpY2FuX2F1ZGl0AbNyZW1vdmVfZXhwaXJl"
    "X2hvdXJzGKVsYWJlbKNub2OGpWZsYWdzkKZsaW1pdHOQpXNjb3BliadzZW5zb3JzwKJpcJCmbnVtYmVykKZkb21haW6QpHZsYW6Q"
    "q2hlYWRlcnNfY2RykK9oZWFkZXJzX21lc3NhZ2WQrWFueV9kaW1lbnNpb27CrmNvbm5lY3RlZF9vbmx5wqljYW5fYXVkaXQAs3Jl"
    "bW92ZV9leHBpcmVfaG91cnMApWxhYmVsoKRuYW1lpUFsaWNlpnRlbmFudKRhY21lqmdyb3VwX25hbWWpb3BlcmF0b3Jzq3ByZWZl"
    "cmVuY2Vzg69jb3VudF9hdWRpdF9sb2cFtnVjX2Nzdl9maWVsZF9zZXBhcmF0b3KhO7F1Y19lbmFibGVfZG5zX2NkcsOndmVyc2lv"
    "bgE="
)


def test_a_record_of_version_1_is_still_read() -> None:
    """Bytes stored by the first version mean what they meant."""
    assert decode(STORED_V1) == CLAIMS


def test_what_is_encoded_is_decoded() -> None:
    """Claims survive storage whole, and the same claims are the same bytes."""
    assert decode(encode(CLAIMS)) == CLAIMS
    flags = ("can_cdr", "can_pcap", "can_mtr")
    one, other = (msgspec.structs.replace(CLAIMS, grants=(Grant(flags=frozenset(f)),)) for f in (flags, flags[::-1]))
    assert encode(one) == encode(other)


def test_an_older_record_without_later_fields_is_read() -> None:
    """A record with the required fields alone takes the defaults: no flag, no limit."""
    stored = msgspec.msgpack.encode({"version": 1, "login": "static", "user": "a", "id": 1, "grants": [{}]})
    assert decode(stored) == Claims(login="static", user="a", id=1, grants=(Grant(),))


def test_an_unknown_version_is_not_read() -> None:
    """A record of a later program, or of none, is no session."""
    raw = msgspec.msgpack.decode(STORED_V1)
    for version in (0, 2, -1, "1", None, True):
        assert isinstance(decode(msgspec.msgpack.encode({**raw, "version": version})), Unreadable), version
    del raw["version"]
    assert isinstance(decode(msgspec.msgpack.encode(raw)), Unreadable)


@settings(deadline=None)
@given(st.binary(max_size=64) | st.integers(0, len(STORED_V1) - 1).map(lambda size: STORED_V1[:size]))
def test_anything_else_is_unreadable(stored: bytes) -> None:
    """Other bytes, and any record cut short, are an answer and never an exception."""
    assert isinstance(decode(stored), Unreadable)
