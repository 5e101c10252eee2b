"""Codes of authenticator apps, against the vectors of RFC 6238 (appendix B, SHA-1)."""

from __future__ import annotations

import base64
from urllib.parse import parse_qs, urlsplit

import pytest

from authgw.login.totp import Right, Skewed, Wrong, address, in_fours, judge, new_secret

SECRET = base64.b32encode(b"12345678901234567890").decode()
# Time and the last six of the eight digits.
VECTORS = [
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
]
NOW = 1111111111.5


@pytest.mark.parametrize(("time", "code"), VECTORS)
def test_the_vectors_of_the_standard(time: int, code: str) -> None:
    """Every code of the standard is right at its time, and belongs to that very step."""
    assert judge(SECRET, code, time) == Right(time // 30)


@pytest.mark.parametrize(
    ("seconds", "verdict"),
    [
        (0, Right),
        (30, Right),
        (-30, Right),
        (60, Skewed),
        (-60, Skewed),
        (300, Skewed),
        (-300, Skewed),
        (330, Wrong),
        (-330, Wrong),
    ],
)
def test_how_far_a_clock_may_be_off(seconds: int, verdict: type) -> None:
    """One step either way passes; up to ten are told to be a wrong clock, and further off is just wrong."""
    found = judge(SECRET, "050471", NOW - seconds)
    assert type(found) is verdict
    if isinstance(found, Right):
        assert found.step == 1111111111 // 30
    if isinstance(found, Skewed):
        assert found.steps == seconds // 30


@pytest.mark.parametrize("typed", ["050471", " 050 471 ", "050\t471", "050\u00a0471"])
def test_blanks_do_not_matter(typed: str) -> None:
    """Apps show the code in two groups; people type it so."""
    assert isinstance(judge(SECRET, typed, NOW), Right)


@pytest.mark.parametrize("typed", ["", "50471", "0504710", "05047x", "٠٥٠٤٧١", "050471\x00", "-50471", "0" * 100_000])
def test_what_is_no_code(typed: str) -> None:
    """Anything but six plain digits is wrong, and nothing raises."""
    assert judge(SECRET, typed, NOW) == Wrong()


def test_a_new_secret() -> None:
    """160 random bits, as base32 that apps take, in groups that people can type."""
    secret = new_secret(bytes(range(20)))
    assert base64.b32decode(secret) == bytes(range(20))
    assert in_fours(secret) == "AAAQ EAYE AUDA OCAJ BIFQ YDIO B4IB CEQT"
    with pytest.raises(ValueError):
        new_secret(b"short")


def test_the_address_that_apps_read() -> None:
    """otpauth://totp/ISSUER:USER with secret and issuer, whatever the user's name is made of."""
    parts = urlsplit(address(SECRET, "al&ice@x:y/ž", "VoIPmonitor voip.example.com"))
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    said = parse_qs(parts.query)
    assert said["secret"] == [SECRET]
    assert said["issuer"] == ["VoIPmonitor voip.example.com"]
    assert "&ice" not in parts.path
