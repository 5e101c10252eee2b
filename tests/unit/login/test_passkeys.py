"""Passkeys: what is asked of a browser, and which answers hold."""

from __future__ import annotations

import json
from typing import Any

import pytest

from authgw.durable.factors import MAX_FACTORS
from authgw.login import passkeys
from authgw.login.factors import PASSKEY, Assertion, Code, RecoveryCode, who_of
from authgw.login.outcome import Pending, Turned
from authgw.login.passkeys import Passkey, creation, made, proved, relying, request
from authgw.login.second import Proved
from authgw.reasons import Reason
from kit.authenticator import VERIFIED, Authenticator, spelt
from kit.logins import RELYING, Desk, granted
from kit.sessions import claims

CHALLENGE = bytes(range(32))
OTHER = b"x" * 32
WHO = who_of(claims("alice", 101, "corp"))


def key_of(device: Authenticator) -> Passkey:
    found = made(RELYING, CHALLENGE, device.create(CHALLENGE))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("public_url", "host"),
    [
        ("https://voip.example.com/gui", "voip.example.com"),
        ("http://localhost:8080", "localhost"),
        ("http://127.0.0.1:8080", None),
        ("https://[2001:db8::1]", None),
    ],
)
def test_where_there_can_be_passkeys(public_url: str, host: str | None) -> None:
    """A host with a name has passkeys; an address has none (WebAuthn, 5.1.2: a valid domain)."""
    found = relying(public_url, "origin", "name")
    assert (found.id if found else None) == host


def test_what_is_asked() -> None:
    """The options carry challenge, host and known credentials; the user's handle is a hash, never his id or name."""
    known = [Passkey(b"one", b"key")]
    asked = json.loads(creation(RELYING, "alice", "corp/id:101", CHALLENGE, known))
    assert asked["challenge"] == spelt(CHALLENGE)
    assert asked["rp"]["id"] == "voip.example.com"
    assert [each["id"] for each in asked["excludeCredentials"]] == [spelt(b"one")]
    assert asked["authenticatorSelection"]["userVerification"] == "preferred"
    assert "101" not in asked["user"]["id"]
    again = json.loads(request(RELYING, CHALLENGE, known))
    assert (again["rpId"], again["userVerification"]) == ("voip.example.com", "preferred")
    assert [each["id"] for each in again["allowCredentials"]] == [spelt(b"one")]


@pytest.mark.parametrize("flags", [0x01, 0x01 | VERIFIED])
def test_made_and_proved(flags: int) -> None:
    """A passkey made for a challenge proves the next one, with user verification or without; its count rises."""
    device = Authenticator(flags=flags)
    passkey = key_of(device)
    device.count = 7
    found = proved(RELYING, OTHER, device.get(OTHER), [Passkey(b"another", b"key"), passkey])
    assert found == Passkey(device.id, passkey.key, 7)


@pytest.mark.parametrize(
    ("device", "lies"),
    [
        (Authenticator(origin="https://evil.example"), {}),
        (Authenticator(origin="http://voip.example.com"), {}),
        (Authenticator(origin="https://voip.example.com:8443"), {}),
        (Authenticator(host="example.com"), {}),
        (Authenticator(flags=VERIFIED), {}),
        (Authenticator(), {"challenge": spelt(OTHER[::-1] + b"y")}),
        (Authenticator(), {"challenge": ""}),
        (Authenticator(), {"type": "webauthn.else"}),
    ],
)
def test_answers_that_do_not_hold(device: Authenticator, lies: dict[str, Any]) -> None:
    """Another origin or host, nobody there, another challenge or another ceremony: neither made nor proved."""
    assert made(RELYING, CHALLENGE, device.create(CHALLENGE, **lies)) is None
    good = Authenticator(private=device.private)
    assert proved(RELYING, OTHER, device.get(OTHER, **lies), [key_of(good)]) is None


def test_another_key_or_an_unknown_one() -> None:
    """A signature by another key under a known id, or by a key that is not the user's, proves nothing."""
    device, thief = Authenticator(), Authenticator()
    assert proved(RELYING, OTHER, thief.get(OTHER), [key_of(device)]) is None
    assert proved(RELYING, OTHER, device.get(OTHER), []) is None


@pytest.mark.parametrize(
    ("had", "has", "held"), [(0, 0, True), (5, 6, True), (5, 5, False), (5, 4, False), (5, 0, False)]
)
def test_the_count_of_a_copy(had: int, has: int, held: bool) -> None:
    """A count that does not rise is that of a copy (6.1.1); devices without one always say 0."""
    device = Authenticator()
    passkey = Passkey(device.id, key_of(device).key, had)
    device.count = has
    assert (proved(RELYING, OTHER, device.get(OTHER), [passkey]) is not None) is held


@pytest.mark.parametrize(
    "answer", ["", "{}", "[]", "null", '{"rawId": 7}', '{"rawId": "AA"}', "\x00", '{"id":"a","rawId":"YQ"}', "[" * 9999]
)
def test_nonsense(answer: str) -> None:
    """What is no answer at all is refused, and raises nothing; so is one without a challenge, and an endless one."""
    device = Authenticator()
    known = [key_of(device), Passkey(b"a", b"broken key")]
    assert made(RELYING, CHALLENGE, answer) is None
    assert proved(RELYING, CHALLENGE, answer, known) is None
    assert proved(RELYING, b"", device.get(b""), known) is None
    assert made(RELYING, b"", device.create(b"")) is None
    long = device.get(CHALLENGE) + " " * passkeys.MAX_ANSWER
    assert proved(RELYING, CHALLENGE, long, known) is None


async def enrolled(desk: Desk, device: Authenticator, name: str = "Key") -> tuple[str, ...] | Reason:
    return await desk.factors.add_passkey(WHO, CHALLENGE, device.create(CHALLENGE), name)


async def pending(desk: Desk) -> Pending:
    found = await desk.login()
    assert isinstance(found, Pending)
    return found


@pytest.mark.anyio
async def test_a_passkey_as_second_factor() -> None:
    """Enrolled with recovery codes; asked for at the next login; its answer passes, another one counts as a failure."""
    desk, device = Desk(granted()), Authenticator()
    codes = await enrolled(desk, device)
    assert isinstance(codes, tuple)
    assert len(codes) == 10
    found = await pending(desk)
    assert await desk.second.kinds(found) == {PASSKEY}
    device.count = 1
    good, wrong = device.get(OTHER), Authenticator().get(OTHER)
    refused = await desk.second.prove(found, Assertion(OTHER, wrong), "192.0.2.7", origin="page")
    assert isinstance(refused, Turned)
    assert refused.reason is Reason.PASSKEY_REFUSED
    assert await desk.throttle.failures("alice") == 1
    assert await desk.second.prove(found, Assertion(OTHER, good), "192.0.2.7", origin="page") == Proved(PASSKEY, 10)
    [factor] = await desk.factors.listed(WHO)
    assert (factor.kind, factor.name, factor.used) == (PASSKEY, "Key", int(desk.clock.now))


@pytest.mark.anyio
async def test_the_same_signature_again() -> None:
    """An answer whose count was seen is refused, even for the same challenge."""
    desk, device = Desk(granted()), Authenticator()
    await enrolled(desk, device)
    device.count = 1
    answer = Assertion(OTHER, device.get(OTHER))
    assert await desk.factors.verify(WHO, answer) == Proved(PASSKEY, 10)
    assert await desk.factors.verify(WHO, answer) is Reason.PASSKEY_REFUSED


@pytest.mark.anyio
async def test_several_passkeys() -> None:
    """Up to ten with names of their own, each good; the same device twice is refused, and one can be taken away."""
    desk = Desk(granted())
    devices = [Authenticator(id=f"device {n}".encode()) for n in range(MAX_FACTORS + 1)]
    for number, device in enumerate(devices[:-1]):
        assert isinstance(await enrolled(desk, device, f"Key {number}"), tuple)
        if not number:
            assert await enrolled(desk, device) is Reason.PASSKEY_REFUSED
    assert await enrolled(desk, devices[-1]) is Reason.TOO_MANY_FACTORS
    assert await desk.factors.verify(WHO, Assertion(OTHER, devices[4].get(OTHER))) == Proved(PASSKEY, 10)
    listed = await desk.factors.listed(WHO)
    assert {one.name for one in listed} == {f"Key {n}" for n in range(MAX_FACTORS)}
    gone = next(one for one in listed if one.name == "Key 4")
    assert await desk.factors.remove(WHO, gone.id)
    assert await desk.factors.verify(WHO, Assertion(OTHER, devices[4].get(OTHER))) is Reason.PASSKEY_REFUSED
    assert await desk.factors.verify(WHO, Code("000000")) is Reason.SECOND_FACTOR_WRONG
    assert await desk.factors.verify(WHO, RecoveryCode("")) is Reason.RECOVERY_WRONG
