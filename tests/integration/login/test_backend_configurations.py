"""Configurations of the logins that ask somebody else, and what each comes to with a real one behind it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from authgw.contract import Begun, Granted
from authgw.errors import ConfigError
from kit.directory import MAPPING, Site, directory
from kit.fake_provider import CALLBACK, CLIENT, Fake
from kit.gateway import write_secret
from kit.loopback import Line, reply, serving
from kit.servers import need
from kit.slapd import BASE, GATEWAY, GATEWAY_PASSWORD
from kit.sso import MAPPING as GROUPS_OF_PROVIDER
from kit.verdicts import IN, front, refused, told, verdict

pytestmark = pytest.mark.anyio
WRONG, FAILED = "bad_credentials", "login_failed"
ENDLESS = "x" * 10_000_000


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with directory(tmp_path_factory.mktemp("ldap")) as found:
        yield found


SERVICE = {"bind_dn": GATEWAY, "bind_password_file": "ldap.password"}
DIRECT = {**dict.fromkeys(SERVICE), "user_dn": f"uid={{user}},ou=people,{BASE}", "groups": ["memberOf"]}
LDAP: list[tuple[dict[str, Any], str, str, str]] = [
    ({}, "alice", "secret", IN),
    ({}, "ALICE", "secret", IN),
    ({}, "alice", "wrong", WRONG),
    ({}, "nobody", "secret", WRONG),
    ({}, ENDLESS, "secret", "user_malformed"),
    ({}, "*)(uid=*", "secret", IN),
    ({}, "*)(uid=a*", "secret", WRONG),
    ({}, "carol", "secret", IN),
    ({}, "bob", "secret", WRONG),
    ({}, "erin", "secret", IN),
    ({}, "twin", "secret", FAILED),
    ({"user_filter": "(uid=bob)"}, "alice", "secret", WRONG),
    ({"user_attribute": "mail"}, "alice", "secret", WRONG),
    ({"preset": "ad"}, "alice", "secret", WRONG),
    ({"id": "entryUUID"}, "nonumber", "secret", IN),
    ({}, "nonumber", "secret", FAILED),
    ({"groups": ["memberUid"]}, "alice", "secret", WRONG),
    ({"groups": ["memberUid"]}, "frank", "secret", IN),
    ({"nested": 0}, "dave", "secret", WRONG),
    (DIRECT, "alice", "secret", IN),
    (DIRECT, "alice", "wrong", WRONG),
    ({"base_dn": "dc=nowhere,dc=com"}, "alice", "secret", FAILED),
    ({"bind_dn": f"cn=stranger,{BASE}"}, "alice", "secret", FAILED),
    ({"ca_file": None}, "alice", "secret", FAILED),
    ({"servers": ["ldap://192.0.2.1"]}, "alice", "secret", "authgw.toml: login.it"),
    ({"servers": []}, "alice", "secret", "authgw.toml: login.it.servers"),
    ({"base_dn": "example"}, "alice", "secret", "authgw.toml: login.it.base_dn"),
    ({"user_filter": "(uid=bob"}, "alice", "secret", "authgw.toml: login.it.user_filter"),
    ({"ca_file": "mapping.toml"}, "alice", "secret", "authgw.toml: login.it.ca_file"),
    ({"mapping": "absent.toml"}, "alice", "secret", "absent.toml"),
    ({"bind_password_file": "absent.password"}, "alice", "secret", "authgw.toml: login.it.bind_password_file"),
]


@pytest.mark.parametrize(("options", "user", "password", "expected"), LDAP, ids=range(len(LDAP)))
async def test_ldap(
    site: Site, tmp_path: Path, options: dict[str, Any], user: str, password: str, expected: str,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """A directory: who comes in, who does not, which setting is refused; a failure names login and setting."""
    write_secret(tmp_path / "mapping.toml", MAPPING)
    write_secret(tmp_path / "ldap.password", GATEWAY_PASSWORD)
    stated = {
        "plugin": "ldap",
        "servers": [site.server.ldaps],
        "ca_file": str(site.server.ca_file),
        "base_dn": BASE,
        **SERVICE,
        "mapping": "mapping.toml",
    }
    given = {name: value for name, value in {**stated, **options}.items() if value is not None}
    assert await verdict(tmp_path, given, user, password) == expected
    if expected == FAILED:
        named = next(iter(options), "id" if user == "nonumber" else "user_filter")
        assert re.search(rf"login it failed: .*\b{named}\b", caplog.text), caplog.text


PHP: list[tuple[dict[str, Any], str, str]] = [
    ({}, "return $password === 'secret' ? array('id' => 7, 'can_cdr' => 1) : NULL;", IN),
    ({}, "return NULL;", WRONG),
    ({}, "return array('can_cdr' => 1);", "rights_invalid"),
    ({}, "return array('id' => 7, 'can_cdr' => 'maybe');", "rights_invalid"),
    ({}, "return array('id' => 7, 'username' => str_repeat('x', 100000));", "rights_invalid"),
    ({}, "return array('id' => 7, 'username' => str_repeat('x', 10000000));", FAILED),
    ({}, "throw new Exception($password);", FAILED),
    ({}, "return 'yes';", FAILED),
    ({"memory": "16M"}, "return array('id' => strlen(str_repeat('x', 100000000)));", FAILED),
    ({"seconds": 1}, "while (true) {}", FAILED),
    ({"seconds": 0}, "return NULL;", "authgw.toml: login.it.seconds"),
    ({"script": "absent.php"}, "return NULL;", "absent.php"),
    ({"php": "/nowhere/php"}, "return NULL;", "authgw.toml: login.it.php"),
    ({}, "return (;", "login.php: line 2"),
]


@pytest.mark.parametrize(("options", "body", "expected"), PHP, ids=range(len(PHP)))
async def test_php(
    tmp_path: Path, options: dict[str, Any], body: str, expected: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A custom_login.php: who comes in, who does not, what is no script; a failure names login, setting and file."""
    need("php")
    write_secret(tmp_path / "login.php", f"<?php\nfunction custom_login($user, $password) {{ {body} }}")
    found = await verdict(tmp_path, {"plugin": "php", "script": "login.php", **options}, "alice", "secret")
    assert found == expected
    assert (f"login it failed: script {tmp_path / 'login.php'}: custom_login" in caplog.text) is (expected == FAILED)


GRANT = {"id": 7, "can_cdr": True}
HTTP: list[tuple[dict[str, Any], bytes | None, str]] = [
    ({}, reply(json.dumps(GRANT).encode()), IN),
    ({}, reply(b"null"), WRONG),
    ({}, reply(status="401 Unauthorized"), WRONG),
    ({}, reply(status="404 Not Found"), WRONG),
    ({}, reply(b'{"can_cdr": true}'), "rights_invalid"),
    ({}, reply(json.dumps({**GRANT, "username": "x" * 200_000}).encode()), "rights_invalid"),
    ({}, reply(json.dumps({**GRANT, "username": ENDLESS}).encode()), FAILED),
    ({}, reply(status="500 Internal Server Error"), FAILED),
    ({}, reply(b"<html>"), FAILED),
    ({}, b"garbage\r\n\r\n", FAILED),
    ({"seconds": 0.3}, None, FAILED),
    ({"seconds": 0}, None, "authgw.toml: login.it.seconds"),
    ({"url": "http://192.0.2.1/"}, None, "authgw.toml: login.it.url"),
    ({"secret_file": "absent.secret"}, None, "authgw.toml: login.it.secret_file"),
    ({"ca_file": "it.secret"}, None, "authgw.toml: login.it.ca_file"),
]


@pytest.mark.parametrize(("options", "answer", "expected"), HTTP, ids=range(len(HTTP)))
async def test_http(
    tmp_path: Path, options: dict[str, Any], answer: bytes | None, expected: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A service: what it may answer, and which setting is refused; a failure names login, plugin and setting."""

    async def talk(line: Line) -> None:
        await line.asked()
        await (line.gone() if answer is None else line.say(answer))

    write_secret(tmp_path / "it.secret", "0123456789abcdef-shared")
    async with serving(talk) as server:
        url = f"http://127.0.0.1:{server.port}/login"
        login = {"plugin": "http", "url": url, "secret_file": "it.secret", **options}
        assert await verdict(tmp_path, login, "alice", "secret") == expected
    assert (f"login it failed: http: url {url}: " in caplog.text) is (expected == FAILED)


OIDC: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({}, {}, IN),
    ({}, {"groups": ["other"]}, "Rejected"),
    ({}, {"groups": None}, "Rejected"),
    ({}, {"groups": "noc-acme"}, IN),
    ({"groups_claim": "realm_access.roles"}, {"realm_access": {"roles": ["noc-acme"]}}, IN),
    ({"groups_claim": "realm_access.roles"}, {}, "Rejected"),
    ({"user_claim": "email"}, {"email": "a@example.com"}, "Rejected"),
    ({"user_claim": "email"}, {"email": "a@example.com", "email_verified": True}, IN),
    ({"id_claim": "number"}, {"number": 7}, IN),
    ({"id_claim": "number"}, {}, "Rejected"),
    ({}, {"preferred_username": "*)(uid=*"}, IN),
    ({}, {"preferred_username": "x" * 10_000}, "rights_invalid"),
    ({}, {"preferred_username": "x" * 1_000_000}, "Failed"),
    ({}, {"aud": "somebody-else"}, "Rejected"),
    ({"issuer": "http://sso.example.com"}, {}, "authgw.toml: login.it.issuer"),
    ({"client_secret_file": "absent.secret"}, {}, "authgw.toml: login.it.client_secret_file"),
    ({"mapping": "absent.toml"}, {}, "absent.toml"),
    ({"seconds": 0}, {}, "authgw.toml: login.it.seconds"),
]


@pytest.mark.parametrize(("options", "claims", "expected"), OIDC, ids=range(len(OIDC)))
async def test_oidc(tmp_path: Path, options: dict[str, Any], claims: dict[str, Any], expected: str) -> None:
    """A provider: whom its tokens bring in, whom they do not, and which setting is refused."""
    write_secret(tmp_path / "mapping.toml", GROUPS_OF_PROVIDER)
    write_secret(tmp_path / "client.secret", "the secret")
    fake = Fake(claims=claims)
    fake.clock.now = time.time()
    async with serving(fake.talk) as server:
        fake.url = f"http://127.0.0.1:{server.port}"
        own = {"issuer": fake.url, "client_id": CLIENT, "client_secret_file": "client.secret"}
        login = {"plugin": "oidc", "mapping": "mapping.toml", **own, **options}
        try:
            async with front(tmp_path, login) as (desk, instance):
                plugin: Any = instance.plugin
                found = await _arrived(fake, plugin, desk)
        except ConfigError as error:
            found = refused(error)
    assert found == expected


async def _arrived(fake: Fake, plugin: Any, desk: Any) -> str:
    begun = await plugin.begin(CALLBACK, "state-1")
    assert isinstance(begun, Begun), begun
    fake.nonce = parse_qs(urlsplit(begun.url).query)["nonce"][0]
    outcome = await plugin.finish(CALLBACK, begun.kept, {"code": "code-1", "state": "state-1"})
    if not isinstance(outcome, Granted):
        return type(outcome).__name__
    return told(await desk.front.arrived(outcome, "it", "192.0.2.7", origin="redirect"))
