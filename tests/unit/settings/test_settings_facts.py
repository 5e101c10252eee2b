"""The product's database as a place for facts: how it is set, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from authgw.errors import ConfigError
from authgw.settings import Settings, load
from kit.gateway import configure, write_secret

URL = "mysql://reader:s3cret-word@127.0.0.1/voipmonitor"


def read(folder: Path, environ: dict[str, str] | None = None, **facts: Any) -> Settings:
    return load(configure(folder, "http://127.0.0.1:8081", port=8080, facts=facts), environ or {})


def test_the_gui_is_asked_where_nothing_is_set(tmp_path: Path) -> None:
    """No URL, no database; the defaults are bounds that hold."""
    facts = read(tmp_path).facts
    assert (facts.url, facts.timeout, facts.threads, facts.fallback) == (None, 3.0, 4, "none")


def test_the_url_may_come_from_three_places(tmp_path: Path) -> None:
    """From the file itself, from a file of its own, from the environment; and it is in no representation."""
    write_secret(tmp_path / "facts.url", URL)
    for settings in (
        read(tmp_path, url=URL),
        read(tmp_path, url_file="facts.url"),
        read(tmp_path, {"AUTHGW_FACTS__URL": URL}),
    ):
        assert settings.facts.url == URL
        assert settings.warnings == ()
        assert "s3cret-word" not in repr(settings)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///calls.db",
        "postgresql://reader:s3cret-word@127.0.0.1/voipmonitor",
        "mysql://reader:s3cret-word@127.0.0.1",
        "mysql://reader:s3cret-word@127.0.0.1/voipmonitor?init_command=drop",
        "voipmonitor",
    ],
)
def test_a_wrong_url_is_said_without_quoting_it(url: str, tmp_path: Path) -> None:
    """Only MariaDB and MySQL, one database, known options; the message holds no password, wherever the URL stands."""
    write_secret(tmp_path / "facts.url", url)
    for key, value in (("url", url), ("url_file", "facts.url")):
        with pytest.raises(ConfigError) as failed:
            read(tmp_path, None, **{key: value})
        assert "facts.url" in str(failed.value)
        assert "s3cret-word" not in str(failed.value)


def test_a_place_of_a_header_is_a_table_and_a_column(tmp_path: Path) -> None:
    """Only the product's tables of headers, and a plain column."""
    assert read(tmp_path, url=URL).facts.headers == {}
    environ = {"AUTHGW_FACTS__HEADERS": '{ X-Account = "cdr_next_2.custom_header_1" }'}
    assert read(tmp_path, environ).facts.headers == {"X-Account": "cdr_next_2.custom_header_1"}
    for place in ("users.password", "cdr_next_1", "cdr_next_1.a b", "cdr_next_1.a`b"):
        with pytest.raises(ConfigError, match=r"cdr_next_1\.custom_header_3"):
            read(tmp_path, {"AUTHGW_FACTS__HEADERS": f'{{ X-Account = "{place}" }}'})


def test_what_is_legal_but_odd_is_warned_about(tmp_path: Path) -> None:
    """A password in a file that others may read, and calls that cross a network in the clear."""
    settings = read(tmp_path, url=URL.replace("127.0.0.1", "db.example.com"))
    assert [problem.where for problem in settings.warnings] == ["facts.url"]
    config = configure(tmp_path, "http://127.0.0.1:8081", port=8080, facts={"url": URL})
    config.chmod(0o644)
    assert "facts.url" in [problem.where for problem in load(config, {}).warnings]
    tls = read(tmp_path, url=URL.replace("127.0.0.1", "db.example.com") + "?ssl_ca=ca.pem")
    assert tls.warnings == ()
    assert tls.facts.url == URL.replace("127.0.0.1", "db.example.com") + f"?ssl_ca={tmp_path / 'ca.pem'}"
