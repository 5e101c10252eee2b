"""Codes of authenticator apps (TOTP, RFC 6238): six digits, 30 seconds, SHA-1, as every app has them. Pure."""

from __future__ import annotations

import base64
import re

import msgspec
import pyotp
from pyotp.exceptions import OTPVerificationError

STEP_SECONDS = 30
# Steps before and after the present one in which a code is taken: for a slow typist and a clock that is a little off.
TOLERANCE = 1
# Steps in which a code still tells that the clock of the device is wrong; it is refused all the same.
SKEW = 10
MIN_SECRET_BITS = 80
SECRET_BYTES = 20  # RFC 4226, section 4, R6: 160 bits
_CODE = re.compile(r"[0-9]{6}", re.ASCII)


class _Totp(pyotp.TOTP):
    """Secrets of 80 bits are what older apps and the product's own accounts have; ours have 160."""

    min_secret_length_bits = MIN_SECRET_BITS


class Right(msgspec.Struct, frozen=True):
    """The code of this time step. Whether the step was used before is for the store to say."""

    step: int


class Skewed(msgspec.Struct, frozen=True):
    """The code of a moment that is too far off: the device's clock goes wrong by about so many steps."""

    steps: int


class Wrong(msgspec.Struct, frozen=True):
    """No code of this secret, at any moment near."""


def judge(secret: str, code: str, now: float) -> Right | Skewed | Wrong:
    """`secret`: base32 without padding; `code`: as typed, blanks allowed; `now`: seconds since 1970."""
    typed = re.sub(r"\s", "", code)
    if not _CODE.fullmatch(typed):
        return Wrong()
    totp = _Totp(secret, interval=STEP_SECONDS)
    try:
        return Right(totp.verify_and_get_timecode(typed, for_time=now, valid_window=TOLERANCE))
    except OTPVerificationError:
        pass
    try:
        return Skewed(totp.verify_and_get_timecode(typed, for_time=now, valid_window=SKEW) - int(now) // STEP_SECONDS)
    except OTPVerificationError:
        return Wrong()


def new_secret(entropy: bytes) -> str:
    """A secret as base32 from SECRET_BYTES random bytes."""
    if len(entropy) != SECRET_BYTES:
        raise ValueError(f"{SECRET_BYTES} random bytes are needed")
    return base64.b32encode(entropy).decode()


def address(secret: str, user: str, issuer: str) -> str:
    """The otpauth:// address that apps read, from a QR code or a link."""
    return _Totp(secret, interval=STEP_SECONDS).provisioning_uri(name=user, issuer_name=issuer)


def in_fours(secret: str) -> str:
    """The secret as people type it: groups of four."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
