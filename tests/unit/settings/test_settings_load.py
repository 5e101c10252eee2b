"""What a configuration file, the environment and secret files become."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest

from authgw.errors import ConfigError
from authgw.settings import Listen, Settings, load

SMALLEST = """\
[gateway]
public_url = "http://127.0.0.1:8080"
[upstream]
url = "http://127.0.0.1:8081"
username = "authgw"
password_file = "upstream.password"
[login]
chain = ["static"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the smallest configuration that works."""
    (tmp_path / "authgw.toml").write_text(SMALLEST)
    secret(tmp_path / "upstream.password", "pass word\n")
    return tmp_path


def secret(path: Path, text: str) -> None:
    path.write_bytes(text.encode())
    path.chmod(0o600)


def read(folder: Path, text: str | None = None, **environ: str) -> Settings:
    if text is not None:
        (folder / "authgw.toml").write_text(text)
    return load(folder / "authgw.toml", environ)


def problems(folder: Path, text: str | None = None, **environ: str) -> dict[str, str]:
    """Where each problem is, and what it says."""
    with pytest.raises(ConfigError) as raised:
        read(folder, text, **environ)
    found = {problem.where: problem.message for problem in raised.value.problems}
    assert len(found) == len(raised.value.problems), "a place was reported twice"
    return found


def test_only_gateway_upstream_and_login_are_needed(folder: Path) -> None:
    """The smallest file gives every documented default."""
    settings = read(folder)
    assert settings.gateway.listen == Listen("127.0.0.1", 8080)
    assert settings.gateway.trusted_proxies == ()
    assert settings.gateway.key_file == folder / "authgw.key"
    assert (settings.gateway.max_body, settings.gateway.body_timeout) == (1024 * 1024, 30)
    assert (settings.upstream.identity, settings.upstream.pages, settings.upstream.pool) == ("service", "unscoped", 8)
    assert settings.upstream.connect_timeout == 5
    assert settings.upstream.reply_timeout == settings.upstream.idle_timeout == 30
    assert settings.upstream.max_reply == 64 * 1024 * 1024
    assert (settings.upstream.sensors, settings.upstream.cookie_name) == ({}, None)
    assert (settings.sessions.store, settings.sessions.outage, settings.sessions.grace) == ("memory://", "closed", 0)
    assert (settings.sessions.idle, settings.sessions.absolute, settings.sessions.per_user) == (1800, 43200, 20)
    assert settings.sessions.remember == 0
    assert settings.audit.file == folder / "audit.jsonl"
    assert settings.database.url == f"sqlite:///{folder}/authgw.db"
    assert (settings.policy.files, settings.policy.scan_days) == (("voipmonitor",), 31)
    assert (settings.policy.scan_timeout, settings.policy.number_match) == (60, "like")
    assert (settings.policy.refusals, settings.policy.strict_rights) == ("status", False)
    assert settings.groups.file is None
    assert (settings.throttle.user_failures, settings.throttle.address_failures) == (5, 50)
    assert (settings.throttle.window, settings.throttle.max_bad_login_attempt) == (900, 10)
    assert settings.warnings == ()


def test_every_table_is_read(folder: Path) -> None:
    """What the file says arrives, in seconds, octets and paths from the file's folder."""
    text = """
        [gateway]
        listen = "[::1]:0"
        public_url = "https://Voip.Example.com:8443/demo/"
        trusted_proxies = ["10.0.0.0/8", "::1"]
        key_file = "/etc/authgw/key"
        max_body = "64KiB"
        [upstream]
        url = "https://10.1.1.1/demo"
        identity = "none"
        pages = "all"
        connect_timeout = "200ms"
        max_reply = "10MB"
        [upstream.sensors]
        2 = 12
        [sessions]
        store = "rediss://user:pw@redis.example.com:6380/1"
        idle = "15m"
        absolute = "1d"
        remember = "30d"
        outage = "grace:60s"
        [login]
        chain = ["corp", "static"]
        [login.static]
        users = "users.toml"
        [login.corp]
        plugin = "ldap"
        on_failure = "next"
        sufficient = false
        servers = ["ldaps://dc1"]
        [database]
        url = "sqlite:////var/lib/authgw.db"
        [policy]
        files = ["voipmonitor", "more.toml"]
        scan_days = 0
        [groups]
        file = "groups.toml"
    """
    settings = read(folder, text)
    assert settings.gateway.listen == Listen("::1", 0)
    assert str(settings.gateway.listen) == "[::1]:0"
    assert settings.gateway.public_url == "https://voip.example.com:8443/demo"
    assert (settings.gateway.base_path, settings.upstream.base_path) == ("/demo", "/demo")
    assert settings.gateway.origin == "https://voip.example.com:8443"
    assert settings.gateway.secure
    assert settings.gateway.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("::1"))
    assert settings.gateway.key_file == Path("/etc/authgw/key")
    assert settings.gateway.max_body == 65536
    assert settings.upstream.connect_timeout == pytest.approx(0.2)
    assert settings.upstream.max_reply == 10_000_000
    assert (settings.upstream.sensors, settings.upstream.cookie) == ({2: 12}, "PHPSESSID-demo")
    assert (settings.sessions.idle, settings.sessions.absolute, settings.sessions.grace) == (900, 86400, 60)
    assert settings.sessions.remember == 30 * 86400
    corp, static = settings.login.instances
    assert (corp.name, corp.plugin, corp.on_failure, corp.sufficient) == ("corp", "ldap", "next", False)
    assert corp.options == {"servers": ["ldaps://dc1"]}
    assert (static.name, static.plugin, static.on_failure, static.sufficient) == ("static", "static", "stop", True)
    assert static.options == {"users": "users.toml"}
    assert settings.database.url == "sqlite:////var/lib/authgw.db"
    assert settings.policy.files == ("voipmonitor", "more.toml")
    assert settings.groups.file == folder / "groups.toml"
    assert [warning.where for warning in settings.warnings] == ["sessions.store"]


@pytest.mark.parametrize(
    ("url", "read_as", "warned"),
    [
        ("mariadb://a:p%2Fw@127.0.0.1/authgw", "mariadb://a:p%2Fw@127.0.0.1/authgw", False),
        ("mysql://a:b@db:3307/authgw?ssl_ca=ca.pem", "mysql://a:b@db:3307/authgw?ssl_ca={folder}/ca.pem", False),
        ("mariadb://a:b@db.example.com/authgw", "mariadb://a:b@db.example.com/authgw", True),
        ("mariadb://a@/authgw?unix_socket=/run/m.sock", "mariadb://a@/authgw?unix_socket=/run/m.sock", False),
        (
            "postgresql://a:b@db/authgw?sslmode=verify-full&sslrootcert=ca.pem",
            "postgresql://a:b@db/authgw?sslmode=verify-full&sslrootcert={folder}/ca.pem",
            False,
        ),
        ("postgresql://a:b@db/authgw?sslmode=require", "postgresql://a:b@db/authgw?sslmode=require", True),
        ("postgresql:///authgw?host=/run/postgresql", "postgresql:///authgw?host=/run/postgresql", False),
    ],
)
def test_a_database_by_url(folder: Path, url: str, read_as: str, warned: bool) -> None:
    """From the environment or a file of its own; its files are relative to the configuration, bare ones warned of."""
    expected = read_as.format(folder=folder)
    from_environment = read(folder, AUTHGW_DATABASE__URL=url)
    (folder / "database.url").write_text(f"{url}\n")
    (folder / "database.url").chmod(0o600)
    from_file = read(folder, AUTHGW_DATABASE__URL_FILE="database.url")
    for settings in (from_environment, from_file):
        assert settings.database.url == expected
        assert ["database.url" in warning.where for warning in settings.warnings] == [True] * warned
        assert url.partition("?")[0] not in repr(settings)


def test_the_environment_wins(folder: Path) -> None:
    """AUTHGW_SECTION__KEY is that setting, with text read as the setting's type; lists and tables as TOML or commas."""
    settings = read(
        folder,
        AUTHGW_UPSTREAM__URL="http://127.0.0.1:9",
        AUTHGW_SESSIONS__PER_USER="3",
        AUTHGW_POLICY__STRICT_RIGHTS="true",
        AUTHGW_GATEWAY__TRUSTED_PROXIES="10.0.0.1, 10.0.0.2",
        AUTHGW_UPSTREAM__SENSORS__2="12",
        AUTHGW_LOGIN__CHAIN='["static", "corp"]',
        AUTHGW_LOGIN__CORP__PLUGIN="ldap",
        AUTHGW_LOGIN__CORP__SERVERS='["ldaps://dc1"]',
        AUTHGW_CONFIG="/etc/authgw.toml",
        OTHER__THING="x",
    )
    assert settings.upstream.url == "http://127.0.0.1:9"
    assert settings.sessions.per_user == 3
    assert settings.policy.strict_rights is True
    assert settings.gateway.trusted_proxies == (ip_network("10.0.0.1"), ip_network("10.0.0.2"))
    assert settings.upstream.sensors == {2: 12}
    assert settings.login.instances[1].plugin == "ldap"
    assert settings.login.instances[1].options == {"servers": ["ldaps://dc1"]}


def test_a_variable_that_only_looks_like_a_setting_is_a_problem(folder: Path) -> None:
    """A mistyped variable is named with what to write, not passed over; a wrong value is located at its variable."""
    found = problems(
        folder,
        AUTHGW_UPSTREAM_URL="http://127.0.0.1:9",
        AUTHGW_UPSTREM__URL="x",
        AUTHGW_SESSIONS__PER_USERS="3",
        AUTHGW_SESSIONS__IDLE="soon",
        AUTHGW_LOGIN__CORP__PLUGIN="ldap",
        AUTHGW_LOGIN__STATIC__ON_FAILURE="go",
    )
    assert "AUTHGW_UPSTREAM__URL" in found["AUTHGW_UPSTREAM_URL"]
    assert "no section upstrem" in found["AUTHGW_UPSTREM__URL"]
    assert "did you mean per_user?" in found["AUTHGW_SESSIONS__PER_USERS"]
    assert "is not a duration" in found["AUTHGW_SESSIONS__IDLE"]
    assert "not in the chain" in found["login.corp"]
    assert '"stop" or "next"' in found["AUTHGW_LOGIN__STATIC__ON_FAILURE"]
    assert len(found) == 6


@pytest.mark.parametrize("content", ["secret", "secret\n", "secret\r\n"])
def test_the_line_end_is_no_part_of_a_secret(folder: Path, content: str) -> None:
    """However an editor ends the one line, the secret is the same; and it is never printed."""
    secret(folder / "upstream.password", content)
    settings = read(folder)
    assert settings.upstream.password is not None
    assert settings.upstream.password.get_secret_value() == "secret"
    assert "secret" not in repr(settings.upstream) + str(settings.upstream)


@pytest.mark.parametrize(
    ("content", "says"),
    [("", "is empty"), ("\n", "is empty"), ("a\nb\n", "more than one line"), ("x" * 70_000, "large")],
)
def test_a_file_that_holds_no_secret_is_a_problem(folder: Path, content: str, says: str) -> None:
    """An empty or many-lined secret file is located at the setting that names it."""
    secret(folder / "upstream.password", content)
    assert says in problems(folder)["upstream.password_file"]


def test_a_missing_secret_file_is_a_problem_and_the_environment_does_instead(folder: Path) -> None:
    """The password may come from the environment; then the file is not needed."""
    (folder / "upstream.password").unlink()
    assert "cannot be read" in problems(folder)["upstream.password_file"]
    settings = read(folder, AUTHGW_UPSTREAM__PASSWORD="from outside")
    assert settings.upstream.password is not None
    assert settings.upstream.password.get_secret_value() == "from outside"
    assert "is empty" in problems(folder, AUTHGW_UPSTREAM__PASSWORD="")["upstream.password"]


def test_a_secret_that_others_may_read_is_a_warning(folder: Path) -> None:
    """Group or others reading the password or the key file is pointed out, with the command that mends it."""
    (folder / "upstream.password").chmod(0o640)
    (folder / "authgw.key").write_text("k")
    (folder / "authgw.key").chmod(0o644)
    warnings = read(folder).warnings
    assert [warning.where for warning in warnings] == ["upstream.password_file", "gateway.key_file"]
    assert all("chmod 600" in warning.message for warning in warnings)
