"""`authgw hash-password`."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from click.testing import CliRunner

from authgw.cli.hash_password import hash_password


@pytest.mark.parametrize(
    ("sent", "password"),
    [
        (b"secret\n", "secret"),
        (b"secret\r\n", "secret"),
        (b"secret", "secret"),
        (b" p w \n", " p w "),
        ("hé\n".encode(), "hé"),
    ],
)
def test_one_line_in_one_hash_out(sent: bytes, password: str) -> None:
    """The line's end is no part of the password, blanks are; what comes out is one argon2 hash."""
    result = CliRunner().invoke(hash_password, input=sent)
    assert result.exit_code == 0
    hash = result.stdout.removesuffix("\n")
    assert "\n" not in hash
    assert PasswordHasher().verify(hash, password)
    with pytest.raises(VerifyMismatchError):
        PasswordHasher().verify(hash, password + "\n")


@pytest.mark.parametrize("sent", [b"", b"\n", b"one\ntwo\n", b"\xff\n", b"x" * 2000, b"a\rb\n"])
def test_what_is_no_password(sent: bytes) -> None:
    """Nothing, several lines, no UTF-8 and endless ones are refused with exit code 2 and no hash."""
    result = CliRunner().invoke(hash_password, input=sent)
    assert result.exit_code == 2
    assert result.stdout == ""
