"""Password hashes, new and old."""

from __future__ import annotations

import hashlib

import pytest
from argon2 import PasswordHasher
from passlib.hash import argon2

from authgw_plugins import passwords

PASSWORD = "U*U"
KNOWN = {
    "bcrypt": "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",  # crypt_blowfish's own test vector
    # openssl passwd -6 and -5 -salt saltstring "Hello world!"
    "sha512_crypt": "$6$saltstring$"
    "svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
    "sha256_crypt": "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5",
}
HELLO = "Hello world!"


@pytest.mark.parametrize(
    ("password", "hash"),
    [
        (PASSWORD, KNOWN["bcrypt"]),
        (HELLO, KNOWN["sha512_crypt"]),
        (HELLO, KNOWN["sha256_crypt"]),
        ("test12345", "$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0"),  # phpass' own test vector
        ("legacy", hashlib.md5(b"legacy").hexdigest()),
        ("myPassword", "$apr1$qHDFfhPC$nITSVHgYbDAK1Y0acGRnY0"),  # from Apache's documentation of password formats
    ],
)
def test_hashes_of_other_programs(password: str, hash: str) -> None:
    """Hashes that others made are understood, and the right password renews them as argon2."""
    assert passwords.problem(hash) is None
    checked = passwords.check(password, hash)
    assert checked.right
    assert checked.upgraded is not None
    assert checked.upgraded.startswith("$argon2id$")
    assert PasswordHasher().verify(checked.upgraded, password)
    assert passwords.check(password + "x", hash) == passwords.Checked(False)


def test_new_hashes() -> None:
    """A new hash is argon2id with a salt of its own, and needs no renewal."""
    one, other = passwords.hashed("secret"), passwords.hashed("secret")
    assert one != other
    assert one.startswith("$argon2id$")
    assert passwords.check("secret", one) == passwords.Checked(True)


def test_weak_parameters_are_renewed() -> None:
    """An argon2 hash that costs less than today's is renewed too."""
    weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash("secret")
    assert passwords.check("secret", weak).upgraded is not None


@pytest.mark.parametrize("length", [72, 73, 100, 1024])
def test_bcrypt_never_cuts(length: int) -> None:
    """A password beyond bcrypt's 72 octets is not right because its beginning is, and raises nothing."""
    import bcrypt

    password = "p" * length
    hash = bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(4)).decode()
    assert passwords.check(password, hash).right is (length == 72)
    assert passwords.check("é" * 37, hash).right is False


@pytest.mark.parametrize("hash", [KNOWN["bcrypt"], KNOWN["sha512_crypt"], "$apr1$qHDFfhPC$nITSVHgYbDAK1Y0acGRnY0"])
def test_nul_matches_nothing(hash: str) -> None:
    """C's crypt ends at a NUL; a password that holds one is wrong instead of short."""
    assert not passwords.check(PASSWORD + "\x00x", hash).right
    assert not passwords.check("\x00", hash).right


def test_long_argon2_passwords_are_whole() -> None:
    """New hashes take every octet of a long password into account."""
    hash = passwords.hashed("x" * 1000)
    assert passwords.check("x" * 1000, hash).right
    assert not passwords.check("x" * 999 + "y", hash).right


@pytest.mark.parametrize(
    "hash", ["secret", "", "$argon2id$", "$2b$", "$argon2id$v=19$m=65536,t=3,p=4$short", 7, None, ["x"]]
)
def test_what_is_no_hash(hash: object) -> None:
    """Plain text and damaged hashes are refused with what to do, and never shown."""
    said = passwords.problem(hash)
    assert said is not None
    assert "authgw hash-password" in said
    assert "secret" not in said


@pytest.mark.parametrize(
    ("password", "hash"),
    [
        ("x", None),
        ("x", hashlib.md5(b"legacy").hexdigest()),
        ("x", "$apr1$qHDFfhPC$nITSVHgYbDAK1Y0acGRnY0"),
        ("x" * 80, KNOWN["bcrypt"]),
        ("a\x00", KNOWN["bcrypt"]),
    ],
)
def test_wrong_passwords_cost_an_argon2(password: str, hash: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name nobody has, a fast old hash and a password a scheme cannot read all cost one argon2 verification."""
    seen: list[str] = []
    verify = argon2.verify

    def watched(password: str, hash: str) -> bool:
        seen.append(hash)
        return bool(verify(password, hash))

    monkeypatch.setattr(argon2, "verify", watched)
    passwords.miss(password, hash)
    assert len([each for each in seen if each.startswith("$argon2id$")]) == 1
