"""What binds a login form to a browser, and whose request it is."""

from __future__ import annotations

import pytest

from authgw.login.attempt import KEEP, SECONDS, Attempts
from authgw.login.origin import is_foreign, is_same
from kit.sessions import Clock

ORIGIN = "https://gw.example.com"
KEY = b"k" * 32


def test_a_form_fits_its_own_cookie() -> None:
    """A form fits the cookie it was made for, and no other browser's."""
    attempts = Attempts(KEY, Clock())
    mine, theirs = attempts.cookie(()), attempts.cookie(())
    form = attempts.form(mine)
    assert mine != theirs
    assert attempts.fits((mine,), form)
    assert attempts.fits((theirs, mine), form)
    assert not attempts.fits((theirs,), form)
    assert not attempts.fits((), form)


def test_a_second_tab_keeps_the_cookie() -> None:
    """Opening the page again keeps the browser's cookie, so that the form of the first tab stays good."""
    attempts = Attempts(KEY, Clock())
    cookie = attempts.cookie(())
    assert attempts.cookie((cookie,)) == cookie
    assert attempts.cookie(("short", cookie)) == cookie
    assert attempts.cookie(("<script>",)) != "<script>"


@pytest.mark.parametrize(("later", "fits"), [(0, True), (SECONDS, True), (SECONDS + 1, False), (-1, False)])
def test_a_form_lasts_an_hour(later: float, fits: bool) -> None:
    """A form that is too old, or from the future, is sent again."""
    clock = Clock()
    attempts = Attempts(KEY, clock)
    cookie = attempts.cookie(())
    form = attempts.form(cookie)
    clock.now += later
    assert attempts.fits((cookie,), form) is fits


def test_nobody_else_can_make_one() -> None:
    """Another key makes forms that do not fit; all instances with the same key agree."""
    cookie = Attempts(KEY, Clock()).cookie(())
    assert not Attempts(KEY, Clock()).fits((cookie,), Attempts(b"x" * 32, Clock()).form(cookie))
    assert Attempts(KEY, Clock()).fits((cookie,), Attempts(KEY, Clock()).form(cookie))


def test_what_a_form_says_besides() -> None:
    """What was asked for a step before stands in the form's hash: no form passes for one that says something else."""
    attempts = Attempts(KEY, Clock())
    cookie = attempts.cookie(())
    plain, keep = attempts.form(cookie), attempts.form(cookie, KEEP)
    assert [attempts.fits((cookie,), form, KEEP) for form in (plain, keep)] == [False, True]
    assert [attempts.fits((cookie,), form) for form in (plain, keep)] == [True, False]
    assert not attempts.fits((cookie + "." + KEEP,), keep)


@pytest.mark.parametrize(
    "form", [None, "", ".", "1.2", ["x"], "1700000000.", "x" * 4000, "²." + "0" * 64, "1e9.0", "é.1"]
)
def test_what_is_no_form(form: object) -> None:
    """Anything else in that field fits nothing and raises nothing."""
    attempts = Attempts(KEY, Clock())
    assert not attempts.fits((attempts.cookie(()),), form)


@pytest.mark.parametrize(
    ("site", "origin", "same", "foreign"),
    [
        ("same-origin", ORIGIN, True, False),
        ("same-origin", None, True, False),
        ("same-origin", "null", True, False),
        (None, ORIGIN, True, False),
        (None, None, False, False),
        (None, "null", False, False),
        (None, "https://evil.example", False, True),
        ("same-origin", "https://evil.example", False, True),
        ("same-site", ORIGIN, False, True),
        ("cross-site", ORIGIN, False, True),
        ("cross-site", None, False, True),
        ("none", None, False, False),
        (None, ORIGIN + ".evil.example", False, True),
        (None, ORIGIN + "/", False, True),
        (None, "http://gw.example.com", False, True),
    ],
)
def test_whose_request_it_is(site: str | None, origin: str | None, same: bool, foreign: bool) -> None:
    """Our own page is believed only where the browser says so; another site is recognised by either header."""
    headers = {name: value for name, value in (("sec_fetch_site", site), ("origin", origin)) if value is not None}
    assert is_same(headers, ORIGIN) is same
    assert is_foreign(headers, ORIGIN) is foreign
