"""Passkeys as a second factor (WebAuthn level 2), over the webauthn library: options out, answers judged. Pure.

The browser makes a key pair for this host alone and proves it by signing a challenge of ours; nothing that is stored
here lets anybody in. User verification (a finger, a PIN) is preferred and not demanded: the password came before.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

import msgspec

# webauthn is imported where a passkey is used: 7 MB that a gateway without passkeys does without.

CHALLENGE_BYTES = 32
SECONDS = 120
MAX_ANSWER = 16 * 1024
# WebAuthn level 2, 4: a credential id has at most 1023 bytes.
_MAX_ID = 1023
log = logging.getLogger("authgw.login")


class Relying(msgspec.Struct, frozen=True):
    """This gateway as browsers know it: its host, its origin, and the name that they show."""

    id: str
    origin: str
    name: str


class Passkey(msgspec.Struct, frozen=True):
    """What is kept of a passkey: its id, its public key (COSE), and how often it had signed."""

    id: bytes
    key: bytes
    count: int = 0


def relying(public_url: str, origin: str, name: str) -> Relying | None:
    """None: passkeys belong to a host with a name, and this one is an address."""
    host = urlsplit(public_url).hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return Relying(host, origin, name) if host else None
    return None


def creation(ours: Relying, user: str, handle: str, challenge: bytes, known: Sequence[Passkey]) -> str:
    """Options for navigator.credentials.create as JSON. `handle` names the user to the authenticator, hashed; a device
    that holds one of the `known` ones makes no second."""
    import webauthn
    from webauthn.helpers import structs

    options = webauthn.generate_registration_options(
        rp_id=ours.id,
        rp_name=ours.name,
        user_name=user,
        user_id=hashlib.sha256(handle.encode()).digest(),
        challenge=challenge,
        timeout=SECONDS * 1000,
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.DISCOURAGED,
            user_verification=structs.UserVerificationRequirement.PREFERRED,
        ),
        exclude_credentials=[structs.PublicKeyCredentialDescriptor(each.id) for each in known],
    )
    return webauthn.options_to_json(options)


def made(ours: Relying, challenge: bytes, answer: str) -> Passkey | None:
    """The passkey that a browser made for this challenge; None: the answer does not hold."""
    if not challenge or len(answer) > MAX_ANSWER:
        return None
    try:
        import webauthn

        found = webauthn.verify_registration_response(
            credential=answer, expected_challenge=challenge, expected_rp_id=ours.id, expected_origin=ours.origin
        )
    except Exception as error:  # the library has no one base for what a hostile answer makes it raise
        log.info("passkey: registration refused: %s", type(error).__name__)
        return None
    if len(found.credential_id) > _MAX_ID:
        return None
    return Passkey(found.credential_id, found.credential_public_key, found.sign_count)


def request(ours: Relying, challenge: bytes, known: Sequence[Passkey]) -> str:
    """Options for navigator.credentials.get as JSON: any of the `known` ones will do."""
    import webauthn
    from webauthn.helpers import structs

    options = webauthn.generate_authentication_options(
        rp_id=ours.id,
        challenge=challenge,
        timeout=SECONDS * 1000,
        allow_credentials=[structs.PublicKeyCredentialDescriptor(each.id) for each in known],
        user_verification=structs.UserVerificationRequirement.PREFERRED,
    )
    return webauthn.options_to_json(options)


def proved(ours: Relying, challenge: bytes, answer: str, known: Sequence[Passkey]) -> Passkey | None:
    """Which of the `known` passkeys has signed this challenge, with its new count; None: none has, or its count went
    back, as that of a copy does."""
    if not challenge or len(answer) > MAX_ANSWER:
        return None
    try:
        import webauthn

        said = webauthn.base64url_to_bytes(str(msgspec.json.decode(answer)["rawId"]))
        passkey = next(each for each in known if each.id == said)
        found = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=ours.id,
            expected_origin=ours.origin,
            credential_public_key=passkey.key,
            credential_current_sign_count=passkey.count,
        )
    except Exception as error:  # as above
        log.info("passkey: proof refused: %s", type(error).__name__)
        return None
    return msgspec.structs.replace(passkey, count=found.new_sign_count)
