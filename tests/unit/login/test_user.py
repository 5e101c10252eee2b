"""Names and passwords as they come in."""

from __future__ import annotations

import pytest

from authgw.login.user import MAX_PASSWORD_BYTES, MAX_USER, Named, canonical, judge, same, shown
from authgw.reasons import Reason


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("alice", "alice"),
        ("  alice  ", "alice"),
        ("ａｌｉｃｅ", "alice"),  # full-width letters are the same letters (NFKC)
        ("\u212aelvin", "Kelvin"),  # the Kelvin sign is K
        ("caf\u0065\u0301", "caf\u00e9"),
        ("名前", "名前"),
        ("a" * MAX_USER, "a" * MAX_USER),
    ],
)
def test_one_canonical_form(raw: str, expected: str) -> None:
    """Every way to write a name ends in the one that is counted, asked for and stored."""
    assert canonical(raw) == expected
    assert canonical(expected) == expected


@pytest.mark.parametrize(
    "raw",
    ["", "   ", "a\x00b", "a\nb", "a\x1b[31m", "a\x7f", "a\u202eb", "a\u200bb", "\ud800", "a\u2028b", "a" * 257],
)
def test_names_that_are_none(raw: str) -> None:
    """Control, invisible and direction characters, halves of characters and endless names are refused."""
    assert canonical(raw) is None


def test_a_name_that_grows_too_long_is_refused() -> None:
    """The bound holds for the canonical form, not only for what was sent: one ligature is eighteen letters."""
    assert canonical("\ufdfa" * 20) is None


@pytest.mark.parametrize(("one", "other"), [("Alice", "ALICE"), ("straße", "STRASSE"), ("ὀδός", "ὈΔΌΣ")])
def test_spellings_share_their_tries(one: str, other: str) -> None:
    """Failures are counted for a name whatever its case."""
    assert same(one) == same(other)


@pytest.mark.parametrize(
    ("user", "password", "reason"),
    [
        ("", "x", Reason.EMPTY_CREDENTIALS),
        (None, "x", Reason.EMPTY_CREDENTIALS),
        ("  \t", "x", Reason.EMPTY_CREDENTIALS),
        ("alice", "", Reason.EMPTY_CREDENTIALS),
        ("alice", None, Reason.EMPTY_CREDENTIALS),
        (["alice"], "x", Reason.USER_MALFORMED),
        ({"$ne": 1}, "x", Reason.USER_MALFORMED),
        ("alice", ["x"], Reason.USER_MALFORMED),
        ("al\x00ice", "x", Reason.USER_MALFORMED),
        ("alice", "\ud800", Reason.USER_MALFORMED),
        ("alice", "x" * (MAX_PASSWORD_BYTES + 1), Reason.BAD_CREDENTIALS),
        ("alice", "é" * (MAX_PASSWORD_BYTES // 2 + 1), Reason.BAD_CREDENTIALS),
    ],
)
def test_what_no_plugin_is_asked(user: object, password: object, reason: Reason) -> None:
    """Empty, malformed and endless credentials are turned away before any plugin hears of them."""
    assert judge(user, password) is reason


def test_passwords_stay_as_they_are() -> None:
    """Blanks, NUL and composed letters of a password are the user's own."""
    assert judge("alice", " p\x00\u0065\u0301 ") == Named("alice", " p\x00\u0065\u0301 ")


def test_no_password_in_a_repr() -> None:
    """A judged pair can be logged by mistake without harm."""
    assert "hunter2" not in repr(judge("alice", "hunter2"))


@pytest.mark.parametrize("user", ["a\nb\x1b[2J", "x" * 10_000_000, "\n" * 5000, "名" * 300])
def test_names_in_the_log_are_bounded_and_escaped(user: str) -> None:
    """Ten megabytes of name, line ends and terminal codes become one short printable piece."""
    said = shown(user)
    assert len(said) <= MAX_USER
    assert said.isprintable()
