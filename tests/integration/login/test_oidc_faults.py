"""The oidc login before a provider that lies, breaks, or is somebody else: never a login, and why in the log."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from authgw.contract import Failed, Granted, Rejected
from kit.authority import Authority
from kit.fake_provider import CLIENT, CURVE, KEY, NOW, OTHER_KEY, Desk, by_hand, desk, signed, unsigned
from kit.loopback import reply

pytestmark = pytest.mark.anyio
END = int(NOW) + 300


@pytest.fixture
async def one(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Desk]:
    async with desk(tmp_path) as found:
        yield found


async def test_the_right_one(one: Desk) -> None:
    """Who comes in: name, a stable number made of issuer and subject, groups mapped, and what asking again needs."""
    outcome = await one.finish()
    assert isinstance(outcome, Granted)
    digest = hashlib.sha256(f"{one.fake.url}\0sub-alice".encode()).digest()
    assert outcome.identity.id == int.from_bytes(digest[:8], "big") >> 1
    assert (outcome.identity.user, outcome.identity.tenant) == ("alice", "acme")
    remote = outcome.identity.remote
    assert remote is not None
    assert (remote.subject, remote.session, remote.issued) == ("sub-alice", "sid-1", NOW)
    assert b"refresh-1" in remote.kept
    assert "refresh" not in repr(outcome)


async def test_pkce_over_the_wire(one: Desk) -> None:
    """The code's exchange proves the challenge, and the client by its secret; neither is in an address
    (CVE-2023-48228, CVE-2024-23647)."""
    begun, fields = await one.begin()
    assert isinstance(await one.finish(begun), Granted)
    (asked,) = [each for each in one.fake.asked if each.path == "/token"]
    made = base64.urlsafe_b64encode(hashlib.sha256(asked.form["code_verifier"].encode()).digest()).rstrip(b"=")
    assert fields["code_challenge"] == made.decode()
    assert fields["code_challenge_method"] == "S256"
    assert asked.headers["authorization"] == "Basic " + base64.b64encode(b"authgw:the+secret").decode()
    assert "secret" not in begun.url


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "somebody-else"},
        {"aud": ["somebody-else"]},
        {"aud": [CLIENT, "somebody-else"]},
        {"aud": [CLIENT, "somebody-else"], "azp": "somebody-else"},
        {"aud": CLIENT, "azp": "somebody-else"},
        {"aud": None},
        {"aud": {"authgw": 1}},
        {"nonce": "another"},
        {"nonce": None},
        {"nonce": "another", "nonce_supported": False},
        {"exp": int(NOW) - 60},
        {"exp": None},
        {"exp": str(END)},
        {"exp": 1e300},
        {"exp": 2**62},
        {"exp": True},
        {"exp": -1},
        {"exp": float("nan")},
        {"exp": float("inf")},
        {"iat": int(NOW) + 61},
        {"iat": int(NOW) - 361},
        {"iat": None},
        {"nbf": int(NOW) + 61},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
        {"sid": 7},
        {"at_hash": "AAAA"},
        {"preferred_username": None},
        {"preferred_username": ""},
        {"preferred_username": ["alice"]},
        {"groups": None},
        {"groups": []},
        {"groups": ["Noc-Acme", "noc-acme ", "noc-acme-x", "/noc-acme"]},
        {"groups": {"noc-acme": True}},
        {"groups": None, "_claim_names": {"groups": "src1"}},
    ],
    ids=str,
)
async def test_claims_that_are_no_login(one: Desk, claims: dict[str, Any]) -> None:
    """One claim that is not as it must be, and nobody is signed in (CVE-2026-114617: nonce_supported;
    CVE-2021-35473: times that are none)."""
    one.fake.claims = claims
    assert isinstance(await one.finish(), Rejected)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": [CLIENT]},
        {"aud": [CLIENT, "other"], "azp": CLIENT},
        {"exp": int(NOW) - 59},
        {"iat": int(NOW) + 60},
        {"groups": "noc-acme"},
        {"exp": END + 0.5},
    ],
    ids=str,
)
async def test_claims_that_are_fine(one: Desk, claims: dict[str, Any]) -> None:
    """What the standard allows comes in: clocks may be a minute apart, one audience may be a list."""
    one.fake.claims = claims
    assert isinstance(await one.finish(), Granted)


def by_rsa(text: bytes) -> bytes:
    private = KEY.private_key
    assert private is not None
    return private.sign(text, PKCS1v15(), SHA256())


def forged() -> dict[str, Any]:
    """Tokens that nobody signed, or somebody else did, by what is wrong with them."""
    public = KEY.as_pem(private=False)
    claims = {"iss": "", "aud": CLIENT, "sub": "sub-alice", "exp": END, "iat": int(NOW), "nonce": ""}
    return {
        "none": lambda right: unsigned(claims | right),
        "None": lambda right: unsigned(claims | right, alg="None"),
        "no alg": lambda right: unsigned(claims | right, alg=None),
        "the public key as a secret": lambda right: by_hand(
            claims | right, lambda text: hmac.digest(public, text, "sha256"), alg="HS256", kid="one"
        ),
        "another key of that name": lambda right: signed(claims | right, OTHER_KEY, kid="one"),
        "its own key in the header": lambda right: signed(
            claims | right, OTHER_KEY, jwk=OTHER_KEY.as_dict(private=False)
        ),
        "a key elsewhere": lambda right: signed(claims | right, OTHER_KEY, jku="https://evil.example/jwks"),
        "something critical": lambda right: by_hand(
            claims | right,
            by_rsa,
            alg="RS256",
            kid="one",
            crit=["exp"],
            exp=1,
        ),
        "an access token": lambda right: signed(claims | right, KEY, typ="at+jwt"),
        "a logout token": lambda right: signed(claims | right, KEY, typ="logout+jwt"),
        "two tokens": lambda right: signed(claims | right) + "." + signed(claims | right),
        "nothing": lambda right: "",
        "too long": lambda right: signed(claims | right | {"x": "x" * 80_000}),
    }


@pytest.mark.parametrize("name", forged())
async def test_forged_tokens(one: Desk, name: str) -> None:
    """Only the provider's own signature counts, by an algorithm of the list, over an ID token (CVE-2024-37568,
    CVE-2022-29217: the public key as a secret; CVE-2025-59420: crit)."""
    begun, fields = await one.begin()
    right = {"iss": one.fake.url, "nonce": fields["nonce"], "preferred_username": "alice", "groups": ["noc-acme"]}
    one.fake.raw_token = forged()[name](right)
    assert isinstance(await one.finish(begun), Rejected | Failed)


async def test_a_signature_that_was_touched(one: Desk) -> None:
    """One letter of the payload, and the signature is not the provider's."""
    begun, _ = await one.begin()
    head, body, signature = one.fake.id_token().split(".")
    one.fake.raw_token = f"{head}.{body[:-2] + ('A' if body[-2] != 'A' else 'B') + body[-1]}.{signature}"
    assert isinstance(await one.finish(begun), Rejected)


async def test_another_curve(one: Desk) -> None:
    """An elliptic curve signs as well."""
    one.fake.key = CURVE
    assert isinstance(await one.finish(), Granted)


async def test_keys_that_change(one: Desk) -> None:
    """A key that was not there before is looked for at once; the old one no longer counts after that."""
    assert isinstance(await one.finish(), Granted)
    one.fake.keys, one.fake.key = [OTHER_KEY], OTHER_KEY
    one.fake.clock.now += 31
    assert isinstance(await one.finish(), Granted)
    assert one.fake.count("/jwks") == 2
    one.fake.key = KEY
    assert isinstance(await one.finish(), Rejected)


async def test_unknown_keys_ask_now_and_then(one: Desk) -> None:
    """However many strangers send tokens that name keys which nobody has, the provider is asked twice a minute at most;
    for a token that it gave itself it is asked at once."""
    assert isinstance(await one.finish(), Granted)
    one.fake.clock.now += 31
    for at in range(20):
        assert isinstance(
            await one.plugin.ended(signed({}, OTHER_KEY, kid=f"made-up-{at}", typ="logout+jwt")), Rejected
        )
    assert one.fake.count("/jwks") == 2
    one.fake.keys, one.fake.key = [OTHER_KEY], OTHER_KEY
    assert isinstance(await one.finish(), Granted)
    assert one.fake.count("/jwks") == 3


async def test_an_answer_of_another_issuer(one: Desk) -> None:
    """A provider that names itself in its answers (RFC 9207) is held to it; who sends another name was mixed up."""
    assert isinstance(await one.finish(answer={"iss": "https://evil.example"}), Rejected)
    assert isinstance(await one.finish(answer={"iss": one.fake.url}), Granted)
    one.fake.says = {"authorization_response_iss_parameter_supported": True}
    one.fake.clock.now += 3601
    assert isinstance(await one.finish(), Rejected)
    assert isinstance(await one.finish(answer={"iss": one.fake.url}), Granted)
    assert one.fake.count("/token") == 2


@pytest.mark.parametrize(
    "says",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"token_endpoint": "http://evil.example/token"},
        {"token_endpoint": None},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"userinfo_endpoint": "http://10.0.0.1/"},
        {"code_challenge_methods_supported": ["plain"]},
    ],
    ids=str,
)
async def test_what_a_provider_may_not_say_of_itself(one: Desk, says: dict[str, Any]) -> None:
    """Another name, an address that is not https, or no PKCE: nobody is sent there."""
    one.fake.says = says
    begun = await one.plugin.begin("https://gateway.example/callback", "state")
    assert isinstance(begun, Failed)


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/jwks", "/token"])
@pytest.mark.parametrize(
    "data",
    [
        reply(b"<html>", status="502 Bad Gateway"),
        reply(b"<html>"),
        reply(b"[]"),
        reply(b'{"issuer": 1, "issuer": 2}'),
        reply(b"{" + b" " * 600_000 + b"}"),
        reply(b"{}", "Content-Encoding: gzip"),
        reply(b"", "Location: http://127.0.0.1:1/", status="302 Found"),
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"nonsense\r\n\r\n",
    ],
    ids=range(9),
)
async def test_garbage(one: Desk, path: str, data: bytes) -> None:
    """Whatever comes in place of an answer is a failure of the provider's, never a login and never a wrong person; the
    setting is named, and which of the provider's addresses it was."""
    if path != "/.well-known/openid-configuration":
        begun, _ = await one.begin()
        one.fake.replies[path] = data
        found: object = await one.finish(begun)
    else:
        one.fake.replies[path] = data
        found = await one.plugin.begin("https://gateway.example/callback", "state")
    assert isinstance(found, Failed), found
    assert found.reason.startswith(f"issuer {one.fake.url}: ")
    assert path in found.reason


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        ({"error": "invalid_grant"}, Rejected),
        ({"error": "invalid_client"}, Failed),
        ({"token_type": "mac"}, Failed),
        ({"access_token": None}, Failed),
        ({"id_token": None}, Rejected),
        ({"id_token": 7}, Failed),
    ],
    ids=str,
)
async def test_what_the_token_endpoint_may_not_say(one: Desk, answers: dict[str, Any], kind: type) -> None:
    """A code that was used is the person's trouble, everything else the operator's."""
    one.fake.answers = answers
    assert isinstance(await one.finish(), kind)


@pytest.mark.parametrize("answer", [{"error": "access_denied"}, {"code": ""}], ids=str)
async def test_no_code(one: Desk, answer: dict[str, str]) -> None:
    """Without a code nothing is asked."""
    assert isinstance(await one.finish(answer=answer), Rejected)
    assert one.fake.count("/token") == 0


async def test_userinfo_of_somebody_else(tmp_path: Path) -> None:
    """Groups from userinfo count only where it speaks of the same person."""
    async with desk(tmp_path, {"groups_from": "userinfo", "groups_claim": "realm_access.roles"}) as found:
        roles = {"realm_access": {"roles": ["noc-acme"]}}
        found.fake.userinfo = {"sub": "sub-bob", **roles}
        assert isinstance(await found.finish(), Rejected)
        found.fake.userinfo = {"sub": "sub-alice", **roles}
        assert isinstance(await found.finish(), Granted)


async def test_an_id_of_the_providers(tmp_path: Path) -> None:
    """An integer claim is the id where one is named; a person without it does not come in."""
    async with desk(tmp_path, {"id_claim": "employee.number"}) as found:
        found.fake.claims = {"employee": {"number": "4711"}}
        outcome = await found.finish()
        assert isinstance(outcome, Granted)
        assert outcome.identity.id == 4711
        for wrong in (None, 0, -1, 1.5, True, "x", 2**63):
            found.fake.claims = {"employee": {"number": wrong}}
            assert isinstance(await found.finish(), Rejected)


async def test_a_login_that_must_be_recent(tmp_path: Path) -> None:
    """Who asks for a recent login looks at whether it was one."""
    async with desk(tmp_path, {"max_age": 60}) as found:
        begun, fields = await found.begin()
        assert fields["max_age"] == "60"
        for at, kind in ((None, Rejected), (NOW - 121, Rejected), (NOW - 119, Granted)):
            found.fake.claims = {"auth_time": at}
            assert isinstance(await found.finish(begun), kind)


async def test_an_address_that_nobody_confirmed(tmp_path: Path) -> None:
    """A mail address names somebody only where the provider has verified it."""
    async with desk(tmp_path, {"user_claim": "email"}) as found:
        for verified, kind in ((None, Rejected), ("true", Rejected), (False, Rejected), (True, Granted)):
            found.fake.claims = {"email": "alice@example.com", "email_verified": verified}
            assert isinstance(await found.finish(), kind)


@pytest.mark.parametrize("known", [True, False])
async def test_keys_that_cannot_be_had(one: Desk, known: bool) -> None:
    """While the provider's keys cannot be had, strangers' tokens make it be asked once in five seconds, not each time;
    then it is tried again."""
    if known:
        assert isinstance(await one.finish(), Granted)
        one.fake.clock.now += 31
    one.fake.replies["/jwks"] = reply(status="500 Oops")
    before = one.fake.count("/jwks")
    for at in range(20):
        assert isinstance(await one.plugin.ended(signed({}, OTHER_KEY, kid=f"made-up-{at}", typ="logout+jwt")), Failed)
    assert one.fake.count("/jwks") == before + 1
    del one.fake.replies["/jwks"]
    one.fake.clock.now += 5
    assert isinstance(await one.finish(), Granted)


@pytest.mark.parametrize("name", ["token_endpoint", "jwks_uri", "userinfo_endpoint", "end_session_endpoint"])
async def test_a_provider_far_away_sends_nobody_to_this_machine(tmp_path: Path, name: str) -> None:
    """What an issuer of https says of itself is https: no request of ours goes to a plain service beside us."""
    own = Authority(tmp_path, "own")
    says = {name: "http://127.0.0.1:6379/"}
    async with desk(tmp_path, {"ca_file": own.file}, tls=own.server(), says=says) as one:
        assert isinstance(await one.plugin.begin("https://gateway.example/callback", "state"), Failed)
        one.fake.says = {}
        one.fake.clock.now += 5
        assert isinstance(await one.finish(), Granted)
