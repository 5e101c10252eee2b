"""Second factors of a user: everything that login pages, account pages and the command line need of them.

    who = who_of(claims)
    await factors.listed(who)                  authenticator app and passkeys, for a page
    draft = factors.draft(who)                 a new authenticator: QR code, key, address; keep `draft.secret` sealed
    await factors.confirm(who, secret, code)   it is enrolled; recovery codes come along where there were none
    await factors.passkey_creation(who, challenge)             what passkey.js is given to make a passkey
    await factors.add_passkey(who, challenge, answer, name)    and what becomes of its answer
    await factors.remove(who, id)              one factor less; with the last one the recovery codes go too
    await factors.new_codes(who)               new recovery codes, shown once; the old ones are void
    await factors.codes_left(who)

To let somebody prove a factor, where wrong ones have to count as failures: `second.py`, for logins and for step-up.
Every async method raises StoreError where the database cannot be asked.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from authgw.durable.factors import FactorStore, Stored, Who
from authgw.login import passkeys, recovery, totp
from authgw.login.passkeys import Passkey, Relying
from authgw.reasons import Reason
from authgw.rights.claims import Claims
from authgw.session.record import by_id, by_user

TOTP, PASSKEY, RECOVERY = "totp", "passkey", "recovery"
AUTHENTICATOR = "Authenticator"


class Factor(msgspec.Struct, frozen=True):
    """A factor as pages show it. `kind`: totp or passkey; times in seconds since 1970, `used` 0: never."""

    id: str
    kind: str
    name: str
    created: int
    used: int


class Draft(msgspec.Struct, frozen=True):
    """An authenticator that is being set up: base32 secret, otpauth:// address. Its repr shows neither."""

    secret: str
    address: str

    @property
    def in_fours(self) -> str:
        return totp.in_fours(self.secret)

    @property
    def svg(self) -> str:
        """The QR code as an SVG element without styles or scripts, dark on its own light ground in every theme."""
        # With the first enrolment: what writes QR codes brings XML and URL libraries along (1 MB).
        import segno

        code = segno.make(self.address, error="m", micro=False)
        return str(code.svg_inline(omitsize=True, border=4, svgclass="qr", lineclass=None, dark="#000", light="#fff"))

    def __repr__(self) -> str:
        return "Draft(…)"


class Code(msgspec.Struct, frozen=True):
    """Proof by a code of the authenticator app, as typed."""

    text: str

    def __repr__(self) -> str:
        return "Code(…)"


class RecoveryCode(msgspec.Struct, frozen=True):
    """Proof by a recovery code, as typed."""

    text: str

    def __repr__(self) -> str:
        return "RecoveryCode(…)"


class Assertion(msgspec.Struct, frozen=True):
    """Proof by a passkey: what the browser made of our challenge, as JSON."""

    challenge: bytes
    answer: str

    def __repr__(self) -> str:
        return "Assertion(…)"


Proof = Code | RecoveryCode | Assertion


class Proved(msgspec.Struct, frozen=True):
    """The factor that was proved, as sessions record it, and how many recovery codes are left."""

    factor: str
    left: int


class Factors:
    """`audit` gets an event for each change, `changed` is told whose factors are others now (what was remembered about
    him no longer holds). `issuer` names this gateway in authenticator apps; `relying`: what passkeys belong to, None
    where there can be none. `now`: seconds since 1970."""

    def __init__(
        self,
        store: FactorStore,
        issuer: str,
        relying: Relying | None,
        *,
        audit: Callable[[str, dict[str, Any]], None],
        changed: Callable[[Who], Awaitable[object]],
        now: Callable[[], float],
        entropy: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._store = store
        self._issuer = issuer
        self._relying = relying
        self._audit = audit
        self._changed = changed
        self._now = now
        self._entropy = entropy

    async def listed(self, who: Who) -> tuple[Factor, ...]:
        """The user's factors, oldest first. A secret that a login plugin supplies is not among them."""
        return tuple(Factor(one.id, one.kind, one.name, one.created, one.used) for one in await self._store.of(who))

    async def named(self, user: str) -> tuple[Who, ...]:
        """Everybody of this canonical name who has, or had, a second factor, in whichever login instance."""
        return await self._store.named(user)

    async def kinds(self, who: Who) -> frozenset[str]:
        """The kinds of factor the user has enrolled: of TOTP and PASSKEY; empty: none."""
        return frozenset(one.kind for one in await self._store.of(who))

    async def codes_left(self, who: Who) -> int:
        """How many recovery codes are good."""
        return await self._store.codes_left(who)

    def draft(self, who: Who, secret: str = "") -> Draft:
        """An authenticator to set up: a new one, or the one of this secret. Nothing is stored."""
        made = secret or totp.new_secret(self._entropy(totp.SECRET_BYTES))
        return Draft(made, totp.address(made, who.user, self._issuer))

    async def confirm(self, who: Who, secret: str, code: str, *, first: bool = False) -> tuple[str, ...] | Reason:
        """Enrol the authenticator of a draft, if the code is right; it takes the place of an earlier one. `first`: for
        somebody who has proved no factor, which he may only where there is none by now; else ATTEMPT_OVER.

        The recovery codes that are shown now and never again: empty where the user has some. Else why not.
        """
        step = totp.judge(secret, code, self._now())
        if not isinstance(step, totp.Right):
            return _why(step)
        # This code does not log in any more. That of another secret in the same half minute was no use of this one.
        await self._store.spend_step(who, step.step)
        factor = Stored(self._entropy(16).hex(), TOTP, AUTHENTICATOR, secret.encode(), 0, int(self._now()), 0)
        return await self._enrolled(who, factor, alone=True, first=first)

    @property
    def take_passkeys(self) -> bool:
        """Whether there can be passkeys: they belong to a host with a name."""
        return self._relying is not None

    async def passkey_creation(self, who: Who, challenge: bytes) -> str:
        """What passkey.js asks the browser for to make a passkey, as JSON; empty where there can be none."""
        if self._relying is None:
            return ""
        known = [passkey for _, passkey in await self._passkeys(who)]
        return passkeys.creation(self._relying, who.user, f"{who.login}/{who.key}", challenge, known)

    async def add_passkey(
        self, who: Who, challenge: bytes, answer: str, name: str, *, first: bool = False
    ) -> tuple[str, ...] | Reason:
        """Enrol a passkey under a name that its owner knows it by. The result is that of `confirm`."""
        made = passkeys.made(self._relying, challenge, answer) if self._relying else None
        if made is None or made.id in [passkey.id for _, passkey in await self._passkeys(who)]:
            return Reason.PASSKEY_REFUSED
        secret = msgspec.msgpack.encode(msgspec.structs.replace(made, count=0))
        factor = Stored(self._entropy(16).hex(), PASSKEY, name, secret, made.count, int(self._now()), 0)
        return await self._enrolled(who, factor, alone=False, first=first)

    async def passkey_request(self, who: Who, challenge: bytes) -> str:
        """What passkey.js asks the browser for to prove one of the user's passkeys, as JSON; empty: he has none."""
        known = [passkey for _, passkey in await self._passkeys(who)]
        return passkeys.request(self._relying, challenge, known) if self._relying and known else ""

    async def remove(self, who: Who, id: str) -> bool:
        """Take one factor away; whether it was there. Without any factor left recovery codes are void."""
        if not await self._store.remove(who, id):
            return False
        if not await self._store.of(who):
            await self._store.clear(who)
        await self._noted(who, "removed", id)
        return True

    async def new_codes(self, who: Who) -> tuple[str, ...]:
        """Recovery codes, to be shown once; those from before are void."""
        codes = await self._fresh_codes(who)
        await self._noted(who, "new recovery codes")
        return codes

    async def reset(self, who: Who) -> int:
        """Take everything away, as an administrator does; how many factors there were."""
        count = await self._store.clear(who)
        await self._noted(who, "reset")
        return count

    async def verify(self, who: Who, proof: Proof, given: str | None = None) -> Proved | Reason:
        """Whether the proof holds; it is spent then. `given`: the TOTP secret that the login plugin supplied.

        Counts nothing: ask `second.py`, which does.
        """
        match proof:
            case RecoveryCode(text):
                return await self._verify_recovery(who, text)
            case Code(text):
                return await self._verify_code(who, text, given)
            case Assertion(challenge, answer):
                return await self._verify_passkey(who, challenge, answer)

    async def _verify_code(self, who: Who, code: str, given: str | None) -> Proved | Reason:
        enrolled = next((one for one in reversed(await self._store.of(who)) if one.kind == TOTP), None)
        secret = given or (enrolled.secret.decode() if enrolled else "")
        verdict = totp.judge(secret, code, self._now()) if secret else totp.Wrong()
        if not isinstance(verdict, totp.Right):
            return _why(verdict)
        if not await self._store.spend_step(who, verdict.step):
            return Reason.SECOND_FACTOR_USED
        if enrolled and not given:
            await self._store.touch(who, enrolled.id, 0, int(self._now()))
        return Proved(TOTP, await self._store.codes_left(who))

    async def _verify_recovery(self, who: Who, typed: str) -> Proved | Reason:
        code, key = recovery.canonical(typed), await self._store.code_key(who)
        if code is None or key is None or not await self._store.spend_code(who, recovery.hashed(key, code)):
            return Reason.RECOVERY_WRONG
        return Proved(RECOVERY, await self._store.codes_left(who))

    async def _verify_passkey(self, who: Who, challenge: bytes, answer: str) -> Proved | Reason:
        known = await self._passkeys(who)
        asked = [passkey for _, passkey in known]
        found = passkeys.proved(self._relying, challenge, answer, asked) if self._relying else None
        id = next((factor.id for factor, passkey in known if found and passkey.id == found.id), "")
        if found is None or not await self._store.touch(who, id, found.count, int(self._now())):
            return Reason.PASSKEY_REFUSED
        return Proved(PASSKEY, await self._store.codes_left(who))

    async def _passkeys(self, who: Who) -> list[tuple[Stored, Passkey]]:
        """The user's passkeys, each with the count of its latest use."""
        stored = [one for one in await self._store.of(who) if one.kind == PASSKEY]
        return [
            (one, msgspec.structs.replace(msgspec.msgpack.decode(one.secret, type=Passkey), count=one.uses))
            for one in stored
        ]

    async def _enrolled(self, who: Who, factor: Stored, *, alone: bool, first: bool) -> tuple[str, ...] | Reason:
        refused = await self._store.add(who, factor, alone=alone, first=first)
        if refused is not None:
            return refused
        codes = () if await self._store.codes_left(who) else await self._fresh_codes(who)
        await self._noted(who, "enrolled", factor.id, factor.kind)
        return codes

    async def _fresh_codes(self, who: Who) -> tuple[str, ...]:
        key = self._entropy(recovery.KEY_BYTES)
        codes = tuple(recovery.spell(self._entropy(recovery.CODE_BYTES)) for _ in range(recovery.COUNT))
        hashes = [recovery.hashed(key, recovery.canonical(code) or "") for code in codes]
        await self._store.set_codes(who, key, hashes)
        return codes

    async def _noted(self, who: Who, what: str, factor: str = "", kind: str = "") -> None:
        event = {"user": who.user, "login": who.login, "key": who.key, "what": what, "factor": factor, "kind": kind}
        self._audit("factors", event)
        await self._changed(who)


def who_of(claims: Claims) -> Who:
    """The user as his factors are kept: by his id, never by the name alone."""
    return Who(claims.login, by_id(claims.id) if claims.id else by_user(claims.user), claims.user)


def counter(who: Who) -> tuple[str, str]:
    """The epoch that rises when a user's factors change."""
    return who.login, f"factors:{who.key}"


def _why(verdict: totp.Skewed | totp.Wrong) -> Reason:
    return Reason.SECOND_FACTOR_CLOCK if isinstance(verdict, totp.Skewed) else Reason.SECOND_FACTOR_WRONG
