"""Every mistake in a configuration is reported at once, with its place and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from authgw.errors import ConfigError
from authgw.settings import load

UPSTREAM = 'url = "http://127.0.0.1:8081"\nidentity = "none"'


def problems(folder: Path, text: str, **environ: str) -> dict[str, str]:
    """Where each problem is, and what it says; a place may be reported once only."""
    path = folder / "authgw.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as raised:
        load(path, environ)
    assert {problem.source for problem in raised.value.problems} <= {str(path), "environment"}
    found = {problem.where: problem.message for problem in raised.value.problems}
    assert len(found) == len(raised.value.problems)
    return found


def one(folder: Path, section: str, line: str) -> str:
    """The message for one wrong line in an otherwise right file; it must be the only problem, at that line's key."""
    tables = {
        "gateway": 'public_url = "http://127.0.0.1:8080"',
        "upstream": UPSTREAM,
        "login": 'chain = ["static"]',
    }
    key = line.partition(" ")[0]
    kept = [kept for kept in tables.get(section, "").splitlines() if not kept.startswith(key + " ")]
    tables[section] = "\n".join([*kept, line])
    found = problems(folder, "\n".join(f"[{name}]\n{body}" for name, body in tables.items()))
    assert list(found) == [f"{section}.{key}"]
    return found[f"{section}.{key}"]


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    """Mistakes of every sort in one file come out together, each at its own place."""
    text = """
        extra = 1
        sessions = 3
        [gateway]
        listen = "8080"
        public_url = "http://voip.example.com/demo"
        max_bdoy = "1MiB"
        [upstream]
        url = "http://127.0.0.1:8081/other"
        password = "secret"
        [login]
        chain = ["static", "corp"]
        user = "x"
        [login.corp]
        sufficient = "maybe"
        [login.old]
        plugin = "php"
        [throttle]
        user_failures = 0
    """
    found = problems(tmp_path, text)
    assert set(found) == {
        "extra",
        "sessions",
        "gateway.listen",
        "gateway.max_bdoy",
        "upstream.password",
        "upstream.username",
        "upstream.password_file",
        "login.user",
        "login.corp.sufficient",
        "login.old",
        "throttle.user_failures",
    }
    assert "did you mean max_body?" in found["gateway.max_bdoy"]
    assert "password_file" in found["upstream.password"]
    assert "secret" not in "".join(found.values())


def test_no_password_of_a_database_is_told(tmp_path: Path) -> None:
    """Whatever is wrong with a database's URL, in the settings or in a file of its own, it is not quoted."""
    for wrong in ("mariadb://authgw:hunter2@db/a/b", "mariadb://authgw:hunter2@db:x/a", "oracle://authgw:hunter2@db/a"):
        assert "hunter2" not in one(tmp_path, "database", f'url = "{wrong}"')
        (tmp_path / "database.url").write_text(wrong)
        assert "hunter2" not in one(tmp_path, "database", 'url_file = "database.url"')
    text = "[gateway]\npublic_url = 'http://127.0.0.1'\n[upstream]\n" + UPSTREAM + "\n[login]\nchain = ['static']\n"
    both = text + "[database]\nurl = 'mariadb://a:hunter2@db/a'\nurl_file = 'x'\n"
    assert "beside database.url" in problems(tmp_path, both)["database.url_file"]


def test_a_syntax_error_has_its_line(tmp_path: Path) -> None:
    """What is no TOML is located by line and column."""
    (where,) = problems(tmp_path, '[gateway]\npublic_url = "x"\nlisten = = 3\n')
    assert where.startswith("line 3, column ")
    (where,) = problems(tmp_path, "[gateway]\n[gateway]\n")
    assert where.startswith("line 2, column ")


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    """No file, a folder and bytes that are no UTF-8 are told apart."""
    with pytest.raises(ConfigError, match=r"missing\.toml: cannot be read"):
        load(tmp_path / "missing.toml", {})
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path, {})
    (tmp_path / "latin.toml").write_bytes(b"# \xe9\n")
    with pytest.raises(ConfigError, match="byte 2: is not UTF-8"):
        load(tmp_path / "latin.toml", {})


def test_missing_sections_are_named(tmp_path: Path) -> None:
    """An empty file lists the three sections that are needed."""
    found = problems(tmp_path, "")
    assert set(found) == {"gateway", "upstream", "login"}


WRONG = [
    ("gateway", 'listen = ":8080"', "0.0.0.0:8080"),
    ("gateway", 'listen = "127.0.0.1"', "127.0.0.1:8080"),
    ("gateway", 'listen = "::1:8080"', "[::1]:8080"),
    ("gateway", 'listen = "[1::2::3]:8080"', "not an IPv6 address"),
    ("gateway", 'listen = "127.0.0.1:65536"', "not an address"),
    ("gateway", 'listen = "300.0.0.1:80"', "neither"),
    ("gateway", "listen = 8080", "not an address"),
    ("gateway", 'public_url = "http://voip.example.com"', "https://voip.example.com"),
    ("gateway", 'public_url = "ftp://127.0.0.1"', "http or https"),
    ("gateway", 'public_url = "127.0.0.1:8080"', "http or https"),
    ("gateway", 'public_url = "http://127.0.0.1:0"', "http or https"),
    ("gateway", 'public_url = "http://127.0.0.1:99999"', "http or https"),
    ("gateway", 'public_url = "http://127.0.0.1/?a=1"', "query"),
    ("gateway", 'public_url = "http://127.0.0.1/#a"', "fragment"),
    ("gateway", 'public_url = "http://a:b@127.0.0.1"', "user name"),
    ("gateway", 'public_url = "http://127.0.0.1/a//b"', "path"),
    ("gateway", 'public_url = "http://127.0.0.1/a/../b"', "path"),
    ("gateway", 'public_url = "http://127.0.0.1/%2e"', "path"),
    ("gateway", 'public_url = "http://127.0.0.1/demo"', "same path"),
    ("gateway", 'public_url = "https://caf\u00e9.example"', "not a URL"),
    ("gateway", 'trusted_proxies = ["10.0.0.1/8", "x"]', "10.0.0.1/8, x"),
    ("gateway", 'trusted_proxies = ["::1", "::1"]', "twice"),
    ("gateway", "trusted_proxies = [1]", "list of texts"),
    ("gateway", 'key_file = ""', "must name a file"),
    ("gateway", 'max_body = "1 MB/s"', "not a size"),
    ("gateway", "max_body = 1048576", "not a size"),
    ("gateway", 'max_body = "0B"', "more than nothing"),
    ("gateway", 'body_timeout = "30"', "not a duration"),
    ("gateway", "body_timeout = 30", "not a duration"),
    ("gateway", 'body_timeout = "-1s"', "not a duration"),
    ("gateway", 'body_timeout = "0s"', "longer than nothing"),
    ("gateway", 'body_timeout = "999999d"', "at most"),
    ("upstream", 'url = "https://"', "http or https"),
    ("upstream", 'identity = "handoff"', "not available in this version"),
    ("upstream", 'identity = "nobody"', '"service" or "none"'),
    ("upstream", 'pages = "some"', '"unscoped" or "all"'),
    ("upstream", "pool = 0", "at least 1"),
    ("upstream", "pool = true", "whole number"),
    ("upstream", 'cookie_name = "a b"', "cookie name"),
    ("upstream", "sensors = 3", "[upstream.sensors]"),
    ("sessions", 'store = "redis+sentinel://a:1,b:2/master"', "not available in this version"),
    ("sessions", 'store = "redis+cluster://a:1"', "not available in this version"),
    ("sessions", 'store = "memcached://a"', "memory://"),
    ("sessions", 'store = "redis://"', "memory://"),
    ("sessions", 'store = "redis://host:6379/name"', "memory://"),
    ("sessions", 'idle = "13h"', "sessions.absolute"),
    ("sessions", 'remember = "12h"', "is not longer than sessions.absolute"),
    ("sessions", "remember = false", "is not a duration"),
    ("sessions", "per_user = 0", "at least 1"),
    ("sessions", 'outage = "open"', "closed"),
    ("sessions", 'outage = "grace:0s"', "longer than nothing"),
    ("sessions", 'outage = "grace"', "not a duration"),
    ("login", "chain = []", "at least one"),
    ("login", 'chain = ["a", "a"]', "twice"),
    ("login", 'chain = ["Corp"]', "instance name"),
    ("login", 'chain = ["a__b"]', "instance name"),
    ("audit", 'file = ""', "must name a file"),
    ("database", 'url = "oracle://db/authgw"', "sqlite:///authgw.db"),
    ("database", 'url = "mysql+pymysql://db/authgw"', "mysql://"),
    ("database", 'url = "mariadb://authgw:pass@db.example.com"', "one database"),
    ("database", 'url = "mariadb:///authgw"', "names no server"),
    ("database", 'url = "mariadb://db/authgw/more"', "one database"),
    ("database", 'url = "mariadb://db:0/authgw"', "not a database URL"),
    ("database", 'url = "mariadb://a:p#ss@db/authgw"', "%2F"),
    ("database", 'url = "mariadb://db/authgw?ssl_disabled=1"', "has ssl_disabled after the ?"),
    ("database", 'url = "mariadb://db/authgw?ssl_ca="', "without a value"),
    ("database", 'url = "postgresql://db/authgw?sslmode=verify"', "unknown sslmode"),
    ("database", 'url = "postgresql:///authgw?host=db"', "no folder"),
    ("database", 'url = "sqlite://"', "sqlite:///authgw.db"),
    ("database", 'url = "sqlite:///a.db?mode=memory"', "plain file"),
    ("policy", "files = []", "at least one"),
    ("policy", "scan_days = -1", "at least 0"),
    ("policy", "scan_days = 1.5", "whole number"),
    ("policy", 'number_match = "regex"', '"like" or "prefix"'),
    ("policy", "refusals = 200", '"status" or "200"'),
    ("policy", "strict_rights = 1", "true or false"),
    ("groups", "file = 3", "must name a file"),
    ("throttle", "max_bad_login_attempt = 101", "at most 100"),
    ("throttle", 'window = ""', "not a duration"),
]


@pytest.mark.parametrize(("section", "line", "says"), WRONG, ids=[f"{section}.{line}" for section, line, _ in WRONG])
def test_one_wrong_setting(tmp_path: Path, section: str, line: str, says: str) -> None:
    """A wrong value is the one problem, at its key, with words that say what would be right."""
    assert says in one(tmp_path, section, line)


def test_sensors_are_numbers_with_ids_of_their_own(tmp_path: Path) -> None:
    """A sensor that is no number, an impossible id and an id given twice are located at the sensor."""
    text = f"""
        [gateway]
        public_url = "http://127.0.0.1"
        [login]
        chain = ["static"]
        [upstream]
        {UPSTREAM.splitlines()[0]}
        {UPSTREAM.splitlines()[1]}
        [upstream.sensors]
        1 = 12
        2 = 12
        3 = 0
        4 = 13
    """
    assert set(problems(tmp_path, text)) == {"upstream.sensors.1", "upstream.sensors.2", "upstream.sensors.3"}
    assert set(problems(tmp_path, text + "        london = 14\n")) == {"upstream.sensors.london"}


def test_credentials_that_nobody_uses_are_a_warning(tmp_path: Path) -> None:
    """Identity "none" with an account set is pointed out, for hardly both are meant."""
    path = tmp_path / "authgw.toml"
    path.write_text(
        f'[gateway]\npublic_url = "http://localhost"\n[upstream]\n{UPSTREAM}\nusername = "x"\n[login]\nchain = ["a"]\n'
    )
    assert [warning.where for warning in load(path, {}).warnings] == ["upstream.username"]


def test_several_workers_need_a_store_that_they_share(tmp_path: Path) -> None:
    """Sessions inside one process are unknown to the others: more than one worker is refused, with what to write."""
    assert "redis://" in one(tmp_path, "gateway", "workers = 2")


def test_files_of_tls_that_would_never_be_read(tmp_path: Path) -> None:
    """A key without its certificate is a mistake; files for TLS beside an http address are warned of."""
    assert "certificate_file" in one(tmp_path, "upstream", 'key_file = "x.key"')
    path = tmp_path / "warned.toml"
    path.write_text(
        f'[gateway]\npublic_url = "http://127.0.0.1:8080"\n[upstream]\n{UPSTREAM}\nca_file = "x.pem"\n'
        '[login]\nchain = ["static"]\n'
    )
    assert [problem.where for problem in load(path, {}).warnings] == ["upstream.ca_file"]
