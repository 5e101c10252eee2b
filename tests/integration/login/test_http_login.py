"""The http login: the operator's own service, asked over real connections."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from authgw.contract import ConfigError, Credentials, Failed, Granted, Identity, NotMine, Rejected
from authgw.errors import Problem
from authgw.login.chain import Instance
from authgw.login.outcome import LoggedIn
from authgw.login.registry import build
from authgw.reasons import Reason
from authgw.testing.login import check
from authgw_plugins.http import Http, HttpConfig
from kit.logins import Desk
from kit.loopback import Asked, reply, serving
from kit.portal import GRANT, SECRET, WHO, always, answer, config, opened, service

pytestmark = pytest.mark.anyio


async def test_the_promises_of_a_login(tmp_path: Path) -> None:
    """With a service behind it the plugin keeps every promise of the contract."""
    async with serving(service({"alice": "correct-horse"})) as server:
        settings = config(tmp_path, f"http://127.0.0.1:{server.port}/")
        await check(lambda: Http(settings), WHO, Credentials("alice", "wrong"))


async def test_what_is_sent(tmp_path: Path) -> None:
    """One POST of user, password, second factor and address as JSON, signed with the shared secret."""
    seen: list[Asked] = []
    assert isinstance(await answer(tmp_path, always(reply(json.dumps(GRANT).encode()), seen)), Granted)
    (asked,) = seen
    assert (asked.method, asked.target) == ("POST", "/login")
    assert asked.headers["content-type"] == "application/json"
    assert json.loads(asked.body) == {
        "user": "alice",
        "password": "correct-horse",
        "otp": "123456",
        "address": "192.0.2.7",
    }
    # What `printf '%s' "1700000000.$body" | openssl dgst -sha256 -hmac "$secret"` prints.
    mac = hmac.new(SECRET.encode(), b"1700000000." + asked.body, hashlib.sha256).hexdigest()
    assert asked.headers["x-authgw-signature"] == f"t=1700000000,v1={mac}"
    assert not {"authorization", "cookie"} & asked.headers.keys()


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        ("200 OK", json.dumps(GRANT), Identity("alice", 101)),
        ("200 OK", '{"id": "7", "name": "Al"}', Identity("alice", 7, "Al")),
        ("200 OK", '{"dictionary": {"id": 7}, "tenant": "acme"}', Identity("alice", 7, "", "acme")),
        ("200 OK", '{"dictionary": {"id": 7}}', Identity("alice", 7)),
        ("200 OK", '{"dictionary": {"id": 7}, "tenant": null}', Identity("alice", 7)),
        ("200 OK", '{"can_cdr": true}', Identity("alice", 0)),
        ("200 OK", '{"id": true}', Identity("alice", 0)),
        ("200 OK", "{}", Identity("alice", 0)),
        ("200 OK", "null", Rejected("rejected")),
        ("200 OK", "false", Rejected("rejected")),
        ("200 OK", '{"dictionary": null}', Rejected("rejected")),
        ("200 OK", '{"error": "no correct-horse here"}', Rejected("no *** here")),
        ("200 OK", '{"error": "gone", "id": 1}', Rejected("gone")),
        ("401 Unauthorized", "x", Rejected("status 401")),
        ("403 Forbidden", json.dumps(GRANT), Rejected("status 403")),
        ("404 Not Found", "", NotMine()),
        ("404 Not Found", json.dumps(GRANT), NotMine()),
        ("200 OK", "", "no JSON"),
        ("200 OK", "<html>", "no JSON"),
        ("200 OK", '{"id": 1, "id": 2}', "no JSON"),
        ("200 OK", '{"id": NaN}', "no JSON"),
        ("200 OK", '{"id": 1} {"id": 2}', "no JSON"),
        ("200 OK", "[" * 100_000, "no JSON"),
        ("200 OK", '{"id": 1' + "0" * 5000 + "}", "no JSON"),
        ("200 OK", "true", "a JSON bool"),
        ("200 OK", "1", "a JSON int"),
        ("200 OK", '"alice"', "a JSON str"),
        ("200 OK", '[{"id": 1}]', "a JSON list"),
        ("200 OK", '{"dictionary": [1]}', "a JSON list"),
        ("200 OK", '{"dictionary": {"id": 1}, "is_admin": true}', "keys beside"),
        ("200 OK", '{"dictionary": {"id": 1}, "tenant": 5}', "tenant"),
        ("200 OK", '{"dictionary": {"id": 1}, "tenant": "a\\nb"}', "tenant"),
        ("201 Created", json.dumps(GRANT), "answered 201"),
        ("204 No Content", "", "answered 204"),
        ("206 Partial Content", json.dumps(GRANT), "answered 206"),
        ("400 Bad Request", json.dumps(GRANT), "answered 400"),
        ("429 Too Many Requests", "", "answered 429"),
        ("500 Internal Server Error", json.dumps(GRANT), "answered 500"),
        ("503 Service Unavailable", "null", "answered 503"),
    ],
)
async def test_the_table_of_verdicts(tmp_path: Path, status: str, body: str, outcome: Any) -> None:
    """Each answer of the service has one outcome; what is none of them is a failure that names plugin and setting."""
    found = await answer(tmp_path, always(reply(body.encode(), status=status)))
    if isinstance(outcome, Identity):
        assert isinstance(found, Granted)
        assert found.identity == outcome
    elif isinstance(outcome, str):
        assert isinstance(found, Failed)
        assert found.reason.startswith("http: url http://127.0.0.1:")
        assert outcome in found.reason
    else:
        assert found == outcome


async def test_secrets_stay_out_of_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Neither password nor second factor nor shared secret is logged at any level, nor told in an outcome."""
    with caplog.at_level(logging.DEBUG):
        found = [
            await answer(tmp_path, always(reply(WHO.password.encode(), status=status)))
            for status in ("200 OK", "500 No")
        ]
    said = caplog.text + repr(found) + repr(WHO)
    assert all(secret not in said for secret in (WHO.password, "123456", SECRET))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://portal.example.com/", "must be https"),
        ("http://127.0.0.1.example.com/", "must be https"),
        ("http://10.0.0.1/", "must be https"),
        ("ftp://portal.example.com/", "must begin with https://"),
        ("portal.example.com/login", "must begin with https://"),
        ("https:///login", "must begin with https://"),
        ("https://user:pw-in-url@portal.example.com/", "must hold no user"),
        ("https://portal.example.com/?token=pw-in-url", "must hold no user"),
        ("https://portal.example.com:port/", "is no URL"),
    ],
)
def test_addresses_that_are_refused(tmp_path: Path, url: str, said: str) -> None:
    """A password goes over TLS, or stays on the host; the problem names the setting and not its value."""
    row = type(
        "Row",
        (),
        {
            "name": "portal",
            "plugin": "http",
            "options": {"url": url, "secret_file": "s"},
            "on_failure": "stop",
            "sufficient": True,
        },
    )
    _, [problem] = build([row()], folder=tmp_path, source="authgw.toml")
    assert problem.where == "login.portal.url"
    assert said in problem.message
    assert "pw-in-url" not in str(problem)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://[::1]:1/", "http://localhost/x", "https://a.example/"])
def test_addresses_that_are_taken(tmp_path: Path, url: str) -> None:
    """TLS anywhere, and plain text on the loopback."""
    assert config(tmp_path, url).url == url


def test_a_secret_is_required(tmp_path: Path) -> None:
    """Without a secret nobody could tell the gateway's requests from others."""
    with pytest.raises(ValidationError, match="secret_file"):
        HttpConfig.model_validate({"url": "https://a.example/"})


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        (None, 0, "cannot be read"),
        ("", 0o600, "at least 16 bytes"),
        ("short\n", 0o600, "at least 16 bytes"),
        ("0123456789abcdef\nand more\n", 0o600, "one line"),
        (SECRET, 0o620, "chmod 600"),
    ],
)
async def test_secrets_that_are_refused(tmp_path: Path, text: str | None, mode: int, said: str) -> None:
    """A secret that is absent, weak or open to others is told at start, together with certificates that are not."""
    path = tmp_path / "portal.secret"
    if text is not None:
        path.write_text(text)
        path.chmod(mode)
    wrong = tmp_path / "ca.pem"
    wrong.write_text("no certificate")
    plugin = Http(HttpConfig(url="https://a.example/", secret_file=path, ca_file=wrong))
    with pytest.raises(ConfigError) as caught:
        await plugin.open()
    second, first = caught.value.problems
    assert (first.source, first.where) == ("secret_file", str(path))
    assert said in first.message
    assert second == Problem("ca_file", str(wrong), "holds no certificate in PEM form")


async def test_logins_through_the_front(tmp_path: Path) -> None:
    """Right, wrong, unknown and broken come out as a login, bad credentials twice, and a failed login."""
    async with serving(service({"alice": "correct-horse"})) as server:
        url = f"http://127.0.0.1:{server.port}/login"
        async with opened(config(tmp_path, url)) as plugin:
            desk = Desk(NotMine(), more=(Instance("portal", plugin),))
            found = [await desk.login(*who) for who in (("alice", "correct-horse"), ("alice", "x"), ("bob", "x"))]
    async with opened(config(tmp_path, url)) as plugin:
        desk = Desk(NotMine(), more=(Instance("portal", plugin),))
        found.append(await desk.login("alice", "correct-horse"))
    assert isinstance(found[0], LoggedIn)
    assert [each.reason for each in found[1:]] == [Reason.BAD_CREDENTIALS, Reason.BAD_CREDENTIALS, Reason.LOGIN_FAILED]
    assert await Http(config(tmp_path, url)).refresh(Identity("alice", 101)) == NotMine()
