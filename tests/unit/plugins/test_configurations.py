"""Configurations of the logins that ask nobody else, and what each comes to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from authgw.contract import Granted
from authgw.errors import ConfigError
from kit.gateway import hashed, toml, write_secret
from kit.sso import MAPPING
from kit.verdicts import IN, front, refused, told, verdict

pytestmark = pytest.mark.anyio
HASH = hashed("correct-horse")
WRONG = "bad_credentials"
USER: dict[str, Any] = {"username": "alice", "password": HASH, "id": 101, "can_cdr": True}

STATIC: list[tuple[dict[str, Any], dict[str, Any], tuple[str, str], str]] = [
    ({}, {}, ("alice", "correct-horse"), IN),
    ({}, {}, (" ALICE ", "correct-horse"), IN),
    ({}, {}, ("alice", "wrong"), WRONG),
    ({}, {}, ("nobody", "correct-horse"), WRONG),
    ({}, {}, ("x" * 10_000_000, "correct-horse"), "user_malformed"),
    ({}, {}, ("*)(uid=*", "correct-horse"), WRONG),
    ({"threads": 1, "change_password": False, "min_password": 8}, {}, ("alice", "correct-horse"), IN),
    ({}, {"blocked": True}, ("alice", "correct-horse"), "blocked"),
    ({}, {"password_expired": True}, ("alice", "correct-horse"), "password_expired"),
    ({}, {"enable_login_ip": ["198.51.100.0/24"]}, ("alice", "correct-horse"), "address_not_allowed"),
    ({}, {"enable_login_ip": ["192.0.2.0/24"]}, ("alice", "correct-horse"), IN),
    ({}, {"req_2fa": True}, ("alice", "correct-horse"), "enrolment_needed"),
    ({}, {"secret": "JBSWY3DPEHPK3PXP"}, ("alice", "correct-horse"), "second_factor_needed"),
    ({}, {"id": 0}, ("alice", "correct-horse"), 'their.toml: user[1] "alice": id'),
    ({}, {"can_cdr": "maybe"}, ("alice", "correct-horse"), 'their.toml: user[1] "alice": can_cdr'),
    ({}, {"password": "correct-horse"}, ("alice", "correct-horse"), 'their.toml: user[1] "alice": password'),
    ({"threads": 0}, {}, ("alice", "correct-horse"), "authgw.toml: login.it.threads"),
    ({"users": "absent.toml"}, {}, ("alice", "correct-horse"), "authgw.toml: login.it.users"),
    ({"user": "x"}, {}, ("alice", "correct-horse"), "authgw.toml: login.it.user"),
]


@pytest.mark.parametrize(("options", "more", "who", "expected"), STATIC)
async def test_static(
    tmp_path: Path, options: dict[str, Any], more: dict[str, Any], who: tuple[str, str], expected: str
) -> None:
    """A users file: who comes in, who does not and why, and which setting or key of the file is refused."""
    write_secret(tmp_path / "their.toml", toml({"user": [{**USER, **more}]}))
    assert await verdict(tmp_path, {"plugin": "static", "users": "their.toml", **options}, *who) == expected


SCRIPT: list[tuple[dict[str, Any], str, str]] = [
    ({}, "return {'id': 7, 'can_cdr': 1} if password == 'correct-horse' else None", IN),
    ({}, "return None", WRONG),
    ({}, "return False", WRONG),
    ({}, "return {'can_cdr': 1}", "rights_invalid"),
    ({}, "return {'id': 7, 'username': 'x' * 10_000_000}", "rights_invalid"),
    ({}, "return {'id': 7, 'can_cdr': 'maybe'}", "rights_invalid"),
    ({}, "return {'id': 7, 'blocked': 1}", "blocked"),
    ({}, "raise ValueError(password)", "login_failed"),
    ({}, "return 'yes'", "login_failed"),
    ({"timeout": 0.2}, "import threading; threading.Event().wait(2)", "login_failed"),
    ({"timeout": 0}, "return None", "authgw.toml: login.it.timeout"),
    ({"script": "absent.py"}, "return None", "absent.py"),
    ({}, "return (", "login.py: line 2"),
]


@pytest.mark.parametrize(("options", "body", "expected"), SCRIPT)
async def test_script(
    tmp_path: Path, options: dict[str, Any], body: str, expected: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A Python function: what it returns or raises, and what is no script. A failure names login, setting and file."""
    file = tmp_path / "login.py"
    write_secret(file, f"def custom_login(user, password):\n    {body}\n")
    found = await verdict(tmp_path, {"plugin": "script", "script": "login.py", **options}, "alice", "correct-horse")
    assert found == expected
    assert (f"login it failed: script {file}: custom_login" in caplog.text) is (expected == "login_failed")
    assert "correct-horse" not in caplog.text


PROXY, ALICE = "10.0.0.5", {"x-remote-user": "alice", "x-remote-groups": "other, noc-acme"}
DN = "cn=noc\\, EU,ou=groups,dc=example,dc=com"
HEADER: list[tuple[dict[str, Any], dict[str, str], str]] = [
    ({}, ALICE, IN),
    ({"addresses": ["10.0.0.0/24"]}, ALICE, IN),
    ({"addresses": ["10.0.1.0/24"]}, ALICE, "NotMine"),
    ({"user_header": "X-User"}, ALICE, "NotMine"),
    ({"groups_header": "X-Groups"}, ALICE, "Rejected"),
    ({"separator": ";"}, ALICE, "Rejected"),
    ({"separator": ";"}, {**ALICE, "x-remote-groups": f"other; {DN}"}, IN),
    ({}, {**ALICE, "x-remote-groups": DN}, "Rejected"),
    ({}, {**ALICE, "x-remote-user": ""}, "NotMine"),
    ({}, {**ALICE, "x-remote-user": "x" * 8000}, "rights_invalid"),
    ({}, {**ALICE, "x-remote-user": "x" * 10_000_000}, "Rejected"),
    ({}, {**ALICE, "x-remote-user": "*)(uid=*"}, IN),
    ({"id_header": "X-Id"}, ALICE, "Rejected"),
    ({"id_header": "X-Id"}, {**ALICE, "x-id": "7"}, IN),
    ({"id_header": "X-Id"}, {**ALICE, "x-id": "0"}, "Rejected"),
    ({"addresses": ["0.0.0.0/0"]}, ALICE, "authgw.toml: login.it.addresses"),
    ({"addresses": []}, ALICE, "authgw.toml: login.it.addresses"),
    ({"user_header": "Cookie"}, ALICE, "authgw.toml: login.it.user_header"),
    ({"separator": ", "}, ALICE, "authgw.toml: login.it.separator"),
    ({"mapping": "absent.toml"}, ALICE, "absent.toml"),
]


@pytest.mark.parametrize(("options", "headers", "expected"), HEADER, ids=range(len(HEADER)))
async def test_header(tmp_path: Path, options: dict[str, Any], headers: dict[str, str], expected: str) -> None:
    """A proxy's headers: whom it brings in, whom it does not, which setting is refused. Groups with commas in
    them want another separator."""
    grant = f'\n[[grant]]\ngroup = \'{DN}\'\nrole = "operator"\ntenant = "acme"\n'
    write_secret(tmp_path / "mapping.toml", MAPPING + grant)
    login = {"plugin": "header", "addresses": [PROXY], "mapping": "mapping.toml", **options}
    try:
        async with front(tmp_path, login) as (desk, instance):
            plugin: Any = instance.plugin
            outcome = await plugin.fronted(PROXY, list(headers.items()))
            found = type(outcome).__name__
            if isinstance(outcome, Granted):
                found = told(await desk.front.arrived(outcome, "it", "192.0.2.7", origin="header"))
    except ConfigError as error:
        found = refused(error)
    assert found == expected
