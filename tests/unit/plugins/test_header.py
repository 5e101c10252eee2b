"""The header login: who is believed, about whom, and what is no login."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from authgw.contract import Credentials, Granted, Identity, NotMine, Outcome, Rejected
from authgw_plugins.header import Header, HeaderConfig
from kit.sso import MAPPING

pytestmark = pytest.mark.anyio
PROXY = "10.0.0.5"
ALICE = [("x-remote-user", "alice"), ("x-remote-groups", "other, noc-acme")]


def config(folder: Path, **more: Any) -> HeaderConfig:
    mapping = folder / "mapping.toml"
    mapping.write_text(MAPPING)
    mapping.chmod(0o600)
    return HeaderConfig(**{"addresses": [PROXY], "mapping": mapping, **more})


@pytest.fixture
async def plugin(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Header]:
    made = Header(config(tmp_path, name_header="X-Remote-Name"))
    await made.open()
    yield made
    await made.close()


async def ask(plugin: Header, headers: list[tuple[str, str]], peer: str = PROXY) -> Outcome:
    return await plugin.fronted(peer, headers)


async def test_the_proxy_is_believed(plugin: Header) -> None:
    """User, name and groups of the headers, whatever the other headers are; the id stays the same."""
    named = [*ALICE, ("x-remote-name", "Al\u00c3\u00adce"), ("x-forwarded-for", "192.0.2.1")]
    outcome = await ask(plugin, named)
    assert isinstance(outcome, Granted)
    identity = outcome.identity
    assert (identity.user, identity.name, identity.tenant) == ("alice", "Alíce", "acme")
    again = await ask(plugin, ALICE, peer="::ffff:10.0.0.5")
    assert isinstance(again, Granted)
    assert again.identity.id == identity.id > 0


@pytest.mark.parametrize("peer", ["10.0.0.6", "127.0.0.1", "::1", "", "10.0.0.5:80", "10.0.0.5, 10.0.0.6"])
async def test_nobody_else_is(plugin: Header, peer: str, caplog: pytest.LogCaptureFixture) -> None:
    """From anybody else the headers are as if they were not there, and told of once."""
    for _ in range(3):
        assert isinstance(await ask(plugin, [*ALICE, ("x-forwarded-for", PROXY)], peer), NotMine)
    assert len(caplog.records) == 1


@pytest.mark.parametrize("name", ["x-remote-user", "x-remote-groups", "x-remote-name"])
async def test_a_header_that_comes_twice(plugin: Header, name: str) -> None:
    """Equal or not: one of them may be the client's own."""
    values = dict(ALICE).get(name, "x")
    given = [*ALICE, *([(name, values)] if name in dict(ALICE) else [(name, values)] * 2)]
    assert isinstance(await ask(plugin, given), Rejected)


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ([], NotMine),
        ([("x-remote-user", "")], NotMine),
        ([("x-remote-groups", "noc-acme")], NotMine),
        ([("x_remote_user", "alice"), ("x-remote-groups", "noc-acme")], NotMine),
        ([("x-remote-user", "alice")], Rejected),
        ([("x-remote-user", "alice"), ("x-remote-groups", "noc-acme-x,Noc-Acme")], Rejected),
        ([("x-remote-user", "\xff"), ("x-remote-groups", "noc-acme")], Rejected),
        ([("x-remote-user", "a" * 9000), ("x-remote-groups", "noc-acme")], Rejected),
    ],
    ids=str,
)
async def test_what_is_no_login(plugin: Header, headers: list[tuple[str, str]], kind: type) -> None:
    """No user, no group that counts, no text: nobody."""
    assert isinstance(await ask(plugin, headers), kind)


async def test_an_id_header(tmp_path: Path) -> None:
    """Where a header holds the id, nothing else is one."""
    plugin = Header(config(tmp_path, id_header="X-Remote-Id"))
    await plugin.open()
    outcome = await ask(plugin, [*ALICE, ("x-remote-id", "4711")])
    assert isinstance(outcome, Granted)
    assert outcome.identity.id == 4711
    for wrong in ("", "0", "-1", "1.0", "٣", "9" * 19, "9" * 30):
        assert isinstance(await ask(plugin, [*ALICE, ("x-remote-id", wrong)]), Rejected)


async def test_passwords_are_not_its_business(plugin: Header) -> None:
    """It knows no passwords, and cannot tell of anybody who is not there."""
    assert isinstance(await plugin.login(Credentials("alice", "secret")), NotMine)
    assert isinstance(await plugin.refresh(Identity("alice", 0)), NotMine)


@pytest.mark.parametrize(
    "wrong",
    [
        {"addresses": []},
        {"addresses": ["0.0.0.0/0"]},
        {"addresses": ["::/0"]},
        {"addresses": ["proxy.example.com"]},
        {"user_header": "Cookie"},
        {"user_header": "X-Forwarded-For"},
        {"user_header": "X_Remote_User"},
        {"separator": ""},
    ],
    ids=str,
)
def test_settings_that_are_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    """Believing everybody, or a header that means something else, cannot be set."""
    with pytest.raises(ValidationError):
        config(tmp_path, **wrong)
