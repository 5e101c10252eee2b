"""What an entry of a directory says: numbers, expiry, names; and what the settings refuse."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from authgw_plugins import ldap_entry
from authgw_plugins.ldap_config import LdapConfig
from authgw_plugins.ldap_values import Entry, escaped, in_name, server

# S-1-5-21-1-2-3-1105 as Active Directory stores it: revision, count, authority, then little-endian numbers.
SID = bytes([1, 5, 0, 0, 0, 0, 0, 5]) + b"".join(n.to_bytes(4, "little") for n in (21, 1, 2, 3, 1105))
NOW = 1_700_000_000.0
# The same moment as Windows counts it.
NOW_1601 = (1_700_000_000 + 11_644_473_600) * 10_000_000


def entry(**values: Any) -> Entry:
    found = {
        name.replace("_", "-").lower(): (value if isinstance(value, bytes) else str(value).encode(),)
        for name, value in values.items()
    }
    return Entry("cn=somebody,dc=example", found)


@pytest.mark.parametrize(
    ("attribute", "values", "number"),
    [
        ("uidNumber", {"uidNumber": 1001}, 1001),
        ("uidNumber", {"uidNumber": 0}, None),
        ("uidNumber", {"uidNumber": -5}, None),
        ("uidNumber", {"uidNumber": "12a"}, None),
        ("uidNumber", {"uidNumber": "9" * 19}, None),
        ("uidNumber", {"uidNumber": "\u0661"}, None),
        ("uidNumber", {}, None),
        ("employeeID", {"employeeID": "00417"}, 417),
        ("objectSid", {"objectSid": SID}, 1105),
        ("objectSid", {"objectSid": SID[:-1]}, None),
        ("objectSid", {"objectSid": b"\x02" + SID[1:]}, None),
    ],
)
def test_the_number(attribute: str, values: dict[str, Any], number: int | None) -> None:
    """A number is taken from where it is said to be, or there is none: never one that others share."""
    found = ldap_entry.id_of(entry(**values), attribute)
    assert found == number if number is not None else isinstance(found, str)


def test_two_numbers_are_none() -> None:
    """Of two values nobody knows which one is the person."""
    assert isinstance(ldap_entry.id_of(Entry("cn=x", {"uidnumber": (b"1", b"2")}), "uidNumber"), str)


def test_the_number_of_a_uuid() -> None:
    """The first 63 bits of the SHA-256, whatever the case of a UUID that is text."""
    text = b"4e9f0c1e-0000-4000-8000-00000000000a"
    expected = int(hashlib.sha256(text).hexdigest()[:16], 16) // 2
    assert ldap_entry.id_of(entry(entryUUID=text), "entryUUID") == expected
    assert ldap_entry.id_of(entry(entryUUID=text.upper()), "entryUUID") == expected
    assert ldap_entry.id_of(entry(objectGUID=bytes(16)), "objectGUID") != expected


def test_the_primary_group() -> None:
    """Its identifier is the person's, with the last number exchanged."""
    assert ldap_entry.primary_group(entry(objectSid=SID, primaryGroupID=513)) == SID[:-4] + b"\x01\x02\x00\x00"
    assert ldap_entry.primary_group(entry(objectSid=SID)) is None
    assert ldap_entry.primary_group(entry(primaryGroupID=513)) is None


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({}, None),
        ({"userAccountControl": 512}, None),
        ({"userAccountControl": 514}, "userAccountControl"),
        ({"userAccountControl": 512 + 16}, None),
        ({"pwdAccountLockedTime": "20231114221320Z"}, None),
        ({"accountExpires": 0}, None),
        ({"accountExpires": 2**63 - 1}, None),
        ({"accountExpires": NOW_1601 + 10_000_000}, None),
        ({"accountExpires": NOW_1601}, "accountExpires"),
        ({"shadowExpire": -1}, None),
        ({"shadowExpire": 19_676}, None),
        ({"shadowExpire": 19_675}, "shadowExpire"),
        ({"shadowExpire": 0}, "shadowExpire"),
        ({"pwdAccountLockedTime": "000001010000Z"}, "pwdAccountLockedTime"),
        ({"nsAccountLock": "TRUE"}, "nsAccountLock"),
    ],
)
def test_accounts_that_may_not_be_used(values: dict[str, Any], word: str | None) -> None:
    """1,700,000,000 s is in day 19,675: an account expires with the first moment of its last day."""
    found = ldap_entry.unusable(entry(**values), NOW)
    assert (found is None) if word is None else word in str(found)


@pytest.mark.parametrize(
    ("values", "expired"),
    [
        ({}, False),
        ({"pwdReset": "TRUE"}, True),
        ({"pwdLastSet": 0}, True),
        ({"pwdLastSet": NOW_1601}, False),
        ({"msDS_User_Account_Control_Computed": 0x800000}, True),
        ({"shadowLastChange": 19_600, "shadowMax": 75}, False),
        ({"shadowLastChange": 19_600, "shadowMax": 74}, True),
        ({"shadowLastChange": 19_600, "shadowMax": -1}, False),
        ({"shadowLastChange": 0}, True),
    ],
)
def test_passwords_that_must_be_changed(values: dict[str, Any], expired: bool) -> None:
    """shadow(5): a password is good for shadowMax days after the day of its change."""
    assert ldap_entry.password_expired(entry(**values), NOW) is expired


@pytest.mark.parametrize("values", [{"pwdLastSet": NOW_1601}, {"pwdChangedTime": "20231114221320Z"}])
def test_when_the_password_was_changed(values: dict[str, Any]) -> None:
    """Each kind of directory writes the same moment in its own way."""
    assert ldap_entry.password_changed_at(entry(**values)) == NOW


@pytest.mark.parametrize(
    ("value", "filtered", "named"),
    [
        ("alice.b-c_d", "alice.b-c_d", "alice.b-c_d"),
        ("*)(uid=*", "\\2a\\29\\28uid=\\2a", "\\2a\\29\\28uid\\3d\\2a"),
        ("\\2a", "\\5c2a", "\\5c2a"),
        ("a\0", "a\\00", "a\\00"),
        ("a,b", "a,b", "a\\2cb"),
        ("ž", "\\c5\\be", "\\c5\\be"),
        ("|&!", "\\7c\\26\\21", "\\7c\\26\\21"),
    ],
)
def test_escapes(value: str, filtered: str, named: str) -> None:
    """RFC 4515 and RFC 4514: whatever stands for itself nowhere goes out as its octets."""
    assert escaped(value) == filtered
    assert in_name(value) == named


@pytest.mark.parametrize("value", [["*"], {"a": 1}, None, 5])
def test_only_text_goes_into_a_filter(value: Any) -> None:
    """A list would pass an escaping of its characters unescaped."""
    with pytest.raises(TypeError):
        escaped(value)


@pytest.mark.parametrize(
    "url", ["", "dc1", "http://dc1", "ldap://", "ldaps://dc1/dc=x", "ldaps://u@dc1", "ldaps://dc1:x"]
)
def test_what_is_no_server(url: str) -> None:
    """A server is a scheme, a host and perhaps a port."""
    with pytest.raises(ValueError):
        server(url)


GOOD = {
    "servers": ["ldaps://dc1.example.com"],
    "base_dn": "dc=example,dc=com",
    "bind_dn": "cn=gateway,dc=example,dc=com",
    "bind_password_file": Path("ldap.password"),
    "mapping": Path("mapping.toml"),
}
OPEN = ["ldap://dc1.example.com"]


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({}, ""),
        ({"servers": OPEN}, "in the open"),
        ({"servers": ["ldap://127.0.0.1"]}, ""),
        ({"servers": ["ldap://[::1]:1389"]}, ""),
        ({"servers": ["ldap://localhost"]}, ""),
        ({"servers": ["ldap://127.0.0.1.example.com"]}, "in the open"),
        ({"servers": OPEN, "tls": "starttls"}, ""),
        ({"servers": OPEN, "tls": "none"}, ""),
        ({"servers": [*GOOD["servers"], *OPEN]}, "in the open"),  # type: ignore[misc]
        ({"tls": "off"}, "tls"),
        ({"servers": []}, "servers"),
        ({"servers": ["dc1"]}, "servers"),
        ({"bind_dn": None}, "bind_dn"),
        ({"bind_password_file": None}, "bind_password_file"),
        ({"user_dn": "uid={user},dc=x"}, "user_dn"),
        ({"bind_dn": None, "user_dn": "uid={user},dc=x"}, ""),
        ({"bind_dn": None, "user_dn": "uid=user,dc=x"}, "user_dn"),
        ({"bind_dn": None, "user_dn": "{user}@example.com"}, "user_dn"),
        ({"base_dn": "example.com"}, "base_dn"),
        ({"user_filter": "(objectClass=person"}, "user_filter"),
        ({"user_filter": "(memberOf=cn=voip,dc=example,dc=com)"}, ""),
        ({"user_attribute": "uid)(x"}, "user_attribute"),
        ({"id": ""}, "id"),
        ({"groups": []}, "groups"),
        ({"groups": ["everything"]}, "groups"),
        ({"connect_timeout": 0}, "connect_timeout"),
        ({"preset": "AD"}, "preset"),
        ({"server": "ldaps://dc1"}, "server"),
    ],
)
def test_settings(more: dict[str, Any], word: str) -> None:
    """Each configuration, and whether it is one; what is refused is named."""
    assert word in refused(more)
    assert bool(word) is bool(refused(more))


def refused(more: dict[str, Any]) -> str:
    """What is said of the settings; nothing where they are good."""
    try:
        LdapConfig.model_validate({**GOOD, **more})
    except ValidationError as error:
        return str(error)
    return ""


def test_presets() -> None:
    """What is not said comes from the preset; what is said wins."""
    found = LdapConfig.model_validate({**GOOD, "preset": "ad", "id": "employeeID"})
    assert (found.chosen("user_attribute"), found.chosen("groups"), found.chosen("id")) == (
        "sAMAccountName",
        ("in-chain",),
        "employeeID",
    )
