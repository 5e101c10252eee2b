"""What `check` and its neighbours say of the mistakes that are made first: which setting, what about it, what to do."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from authgw.cli.main import main
from authgw.session import keys
from kit.gateway import configure


def check(folder: Path, url: str = "http://127.0.0.1:1", **sections: object) -> tuple[int, list[str]]:
    """Exit code and lines of `check` on a configuration with these sections."""
    config = configure(folder, url, port=8080, **sections)  # type: ignore[arg-type]
    done = CliRunner().invoke(main, ["check", "--config", str(config)])
    return done.exit_code, [line.replace(f"{folder}/", "") for line in done.output.splitlines()]


def test_files_of_tls_to_the_gui(tmp_path: Path) -> None:
    """They are tried without a connection: `serve` would not start with them either."""
    told = check(tmp_path, "https://127.0.0.1:1", upstream={"ca_file": "no.pem"})
    advice = "name a PEM file with the certificates to trust"
    expected = [f"upstream.ca_file: no.pem: cannot be used (No such file or directory); {advice}"]
    assert told == (2, [*expected, "1 mistake; nothing was started"])
    code, lines = check(tmp_path, "https://127.0.0.1:1", upstream={"certificate_file": "users.toml"})
    assert code == 2
    assert lines[0].startswith("upstream.certificate_file: users.toml: cannot be used (")


def test_an_option_of_a_login_with_a_typo(tmp_path: Path) -> None:
    """The option that was meant is named."""
    told = check(tmp_path, login_static={"change_pasword": False})
    said = "authgw.toml: login.static.change_pasword: is not an option of this plugin; did you mean change_password?"
    assert told == (2, [said, "1 mistake; nothing was started"])


def test_a_users_file_that_is_not_there(tmp_path: Path) -> None:
    """The setting that names it is told with it."""
    told = check(tmp_path, login_static={"users": "people.toml"})
    said = "authgw.toml: login.static.users: people.toml: cannot be read: No such file or directory"
    assert told == (2, [said, "1 mistake; nothing was started"])


def test_options_of_a_login_that_do_not_agree(tmp_path: Path) -> None:
    """The plugin's own sentence comes through, with nothing of the library that carried it."""
    corp = {"plugin": "ldap", "servers": ["ldap://dc1.example.com"], "base_dn": "dc=example,dc=com"}
    corp |= {"user_dn": "uid={user},dc=example,dc=com", "mapping": "mapping.toml"}
    code, lines = check(tmp_path, login={"chain": ["static", "corp"]}, login_corp=corp)
    assert code == 2
    assert lines[0].startswith("authgw.toml: login.corp: servers: ldap://dc1.example.com would carry passwords")


def test_a_right_with_a_typo(tmp_path: Path) -> None:
    """It is a warning that ends with what was meant."""
    told = check(tmp_path, users=[{"username": "alice", "password": "secret", "id": 1, "can_pcapp": True}])
    said = 'users.toml: user[1] "alice": can_pcapp: is no key of the permission dictionary; did you mean can_pcap?'
    assert told == (0, [f"warning: {said}", "authgw.toml: fine"])


def test_a_session_store_that_is_not_there(tmp_path: Path) -> None:
    """A command that needs it says which command tells more."""
    config = configure(tmp_path, "http://127.0.0.1:1", port=8080, sessions={"store": "redis://127.0.0.1:1/0"})
    keys.load(tmp_path / "authgw.key")
    done = CliRunner().invoke(main, ["sessions", "list", "--config", str(config)])
    assert done.exit_code == 1
    assert done.output.startswith("authgw: session store: ConnectionError: ")
    assert done.output.endswith("; `authgw check --connect` says what to look at\n")
