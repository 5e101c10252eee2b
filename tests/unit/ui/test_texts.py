"""The texts of the pages."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

from authgw.reasons import Reason
from authgw.rights.dictionary import KEYS as DICTIONARY
from authgw.rights.dictionary import Place
from authgw.ui import texts
from authgw.ui.texts import (
    DEFAULT,
    LANGUAGE_COOKIE,
    LANGUAGES,
    LOGIN,
    TEXTS,
    THEME_COOKIE,
    Texts,
    catalogue,
    choose,
    heading_and_text,
    reader,
)
from authgw.ui.words import KEYS, of_key


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_language_lacks_a_text(language: str) -> None:
    """Every language has the ids of every other one, and its catalogues give no id twice."""
    assert TEXTS[language].keys() == TEXTS[DEFAULT].keys()
    assert len(TEXTS[language]) == sum(len(catalogue(language, file.stem)) for file in files(language))


def files(language: str) -> list[Path]:
    return list((Path(texts.__file__).parent / "locale" / language).glob("*.po"))


@pytest.mark.parametrize("id", TEXTS[DEFAULT])
def test_every_text_in_every_language(id: str) -> None:
    """A text is written in every language, with the same values to fill in, and without markup."""
    texts = [TEXTS[language][id] for language in LANGUAGES]
    assert all(texts)
    assert all(text.strip() == text and text for text in texts)
    fields = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in texts]
    assert all(each == fields[0] for each in fields)
    assert not any(re.search(r"[<>]", text) for text in texts)


def test_the_products_words_stay() -> None:
    """Where the product has words for a refused login, the English page uses them."""
    t = Texts("en")
    assert t("login.bad").startswith("Invalid username or password.")
    assert t("login.blocked").startswith("Your account is blocked.")
    assert t("login.address").startswith("Your remote address not allowed in your account.")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 429, 500, 502, 503, 504])
def test_every_refusal_has_words(reason: Reason, status: int, language: str) -> None:
    """Whatever is refused with whatever status, there is a heading and a sentence for it."""
    t = Texts(language)
    assert all(t(id) for id in heading_and_text(status, reason))


def test_every_refused_login_has_words() -> None:
    """Each reason that can end a login has its own text on the page."""
    from authgw.login.outcome import _ANSWERS

    assert LOGIN.keys() == _ANSWERS.keys()


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("cs", "cs"),
        ("cs-CZ", "cs"),
        ("CS", "cs"),
        ("en-US,en;q=0.9,cs;q=0.8", "en"),
        ("de,cs;q=0.5,en;q=0.4", "cs"),
        ("de", "en"),
        ("cs;q=0", "en"),
        ("cs;q=0,en;q=0.1", "en"),
        ("*", "en"),
        ("cs;q=nan", "en"),
        ("cs;q=9", "en"),
        ("cs;x=1", "en"),
        (";;,,;q=,", "en"),
        ("xx," * 100_000 + "cs", "en"),
    ],
)
def test_the_language_is_the_readers(header: str, language: str) -> None:
    """The wanted language of highest quality that we speak; nonsense, nothing and endless lists are English."""
    assert choose(header) == language


@pytest.mark.parametrize(("seconds", "said"), [(1, "1 s"), (120, "120 s"), (121, "3 min"), (900, "15 min")])
def test_waiting(seconds: int, said: str) -> None:
    """A wait is said in seconds up to two minutes, then in minutes, never less than it takes."""
    assert Texts("en").wait(seconds) == said


def test_every_right_has_words() -> None:
    """Every flag and limit of the permission dictionary is said in words, and no others are invented."""
    spelt = {key for key, declared in DICTIONARY.items() if declared.place in (Place.FLAG, Place.LIMIT)}
    assert set(KEYS) <= spelt
    assert {key for key in spelt if key not in KEYS} <= {"crules_remove_expire_time"}


def test_a_right_without_words() -> None:
    """A key nobody described is shown as it is spelt."""
    assert of_key("can_fly", "cs") == "can_fly"
    assert of_key("can_cdr", "cs") == "zobrazovat hovory"


@pytest.mark.parametrize(
    ("language", "theme", "shown"),
    [
        (("cs",), ("dark",), ("cs", "dark")),
        ((), (), ("en", "auto")),
        (("xx",), ("pink",), ("en", "auto")),
        (("xx", "cs"), ("", "light"), ("cs", "light")),
    ],
)
def test_what_a_person_chose_wins(language: tuple[str, ...], theme: tuple[str, ...], shown: tuple[str, str]) -> None:
    """Language and theme of the cookies come before what the browser asks for; other values count as none."""
    found = reader("en", {LANGUAGE_COOKIE: language, THEME_COOKIE: theme})
    assert (found.language, found.theme) == shown
