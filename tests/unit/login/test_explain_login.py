"""What explain-login says of a user: every login of the chain, every line of a mapping, every gate, and the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from authgw.cli.main import main
from authgw.contract import Failed, Granted, Identity, Known, NotMine, Outcome, Rejected, Right, mapped
from authgw.login.chain import Instance
from authgw.login.explain import Person, Told, explain
from authgw.login.rights import Rights
from authgw.rights.mapping import Compare, of_text
from kit.gateway import configure
from kit.logins import Scripted, granted

pytestmark = pytest.mark.anyio
GROUPS = "ou=groups,dc=example,dc=com"
MAPPING = of_text(
    f"""
    tenant = [{{ name = "acme", sensors = [2] }}, {{ name = "all", sensors = "all" }}]
    role = [
        {{ name = "operator", grants = ["can_cdr", "can_pcap"], can_audit = 1 }},
        {{ name = "admin", grants = ["is_admin"] }},
    ]
    grant = [
        {{ group = "cn=noc,{GROUPS}", role = "operator", tenant = "acme" }},
        {{ group = "cn=admins,{GROUPS}", role = "admin", tenant = "all" }},
        {{ group = "staff", role = "admin", tenant = "all" }},
    ]
    """,
    "mapping.toml",
    Compare.DN,
)  # fmt: skip


class Telling(Scripted):
    """A plugin that can tell: the outcome that the test gives, or what the mapping makes of groups."""

    def __init__(self, outcome: Outcome | None, groups: Sequence[str] | None = None, **gates: Any) -> None:
        super().__init__(outcome)
        self.outcome, self.groups, self.gates = outcome, groups, gates

    async def explain(self, user: str, groups: Sequence[str] | None) -> Known | None:
        held = groups if groups is not None else self.groups
        if held is not None:
            outcome = mapped(MAPPING, Identity(user, 7), held, **self.gates)
            return Known(outcome, "cn=alice at ldaps://dc1", held, MAPPING)
        return None if self.outcome is None else Known(self.outcome)


class Silent(Scripted):
    """A plugin that only a password can ask."""

    async def refresh(self, identity: Identity) -> Outcome:
        return NotMine()


async def told(*chain: Instance, groups: tuple[str, ...] | None = None, address: str = "") -> Told:
    return await explain(chain, Rights({}, strict=False), Person("alice", groups, address, 1_700_000_000.0))


async def test_every_line_of_the_mapping_says_why() -> None:
    """Which [[grant]] holds by which group, which does not, which can never, and which groups no line names."""
    plugin = Telling(None, [f"CN=NOC, {GROUPS}", f"cn=guests,{GROUPS}"])
    found = await told(Instance("corp", plugin))
    assert found.comes_in
    assert found.lines == [
        "user      alice",
        "login     corp: knows him",
        "          found     cn=alice at ldaps://dc1",
        "          id        7",
        "          tenant    acme",
        f"groups    CN=NOC, {GROUPS}",
        f"          cn=guests,{GROUPS}",
        "mapping   mapping.toml",
        f"  yes  mapping.toml grant[1] operator@acme: he is in CN=NOC, {GROUPS}",
        f"  NO   mapping.toml grant[2] admin@all: he is not in cn=admins,{GROUPS}",
        "  NO   mapping.toml grant[3] admin@all: 'staff' is no distinguished name, so no group here is it",
        f"          no line names cn=guests,{GROUPS}",
        "grant 1   by        mapping.toml grant[1] operator@acme",
        "          sees      calls from sensor 2",
        "          may       can_cdr, can_pcap, can_audit = 1",
        "gates",
        "  yes  any address may log in (no enable_login_ip)",
        "  yes  not blocked",
        "  yes  password not expired",
        "  yes  no second factor is wanted, unless he has set one up",
        "result    corp decides: with the right password he comes in",
    ]


async def test_given_groups_stand_for_his_own() -> None:
    """With groups given the mapping answers for them; none that a line names is no login."""
    plugin = Telling(None, [f"cn=noc,{GROUPS}"])
    found = await told(Instance("corp", plugin), groups=(f"cn=admins,{GROUPS}",))
    assert f"groups    cn=admins,{GROUPS} (as given)" in found.lines
    assert any(line.startswith("          may       everything (is_admin)") for line in found.lines)
    found = await told(Instance("corp", plugin), groups=("cn=nobody",))
    assert not found.comes_in
    assert (
        "login     corp: by the groups as given, refuses him: he is in no group that a [[grant]] of mapping.toml names"
        in found.lines
    )
    assert found.lines[-1] == "result    corp refuses him, and no other is asked"


GATES: list[tuple[dict[str, Any], str, str]] = [
    ({"blocked": True, "blocked_reason": "unpaid"}, "  NO   blocked: unpaid", "refused, blocked (blocked)"),
    (
        {"password_expired": True},
        "  NO   password expired, by password_expired",
        "refused, password_expired (password_expired)",
    ),
    (
        {"enable_login_ip": ["10.0.0.0/8"]},
        "  NO   192.0.2.7 is not in enable_login_ip: 10.0.0.0/8",
        "refused, address_not_allowed (enable_login_ip)",
    ),
]


@pytest.mark.parametrize(("gate", "line", "verdict"), GATES, ids=[str(gate) for gate, _, _ in GATES])
async def test_a_gate_that_is_shut(gate: dict[str, Any], line: str, verdict: str) -> None:
    """Each gate has its line, and the one that refuses is in the verdict with its reason."""
    found = await told(Instance("static", Telling(granted(**gate))), address="192.0.2.7")
    assert line in found.lines
    assert found.lines[-1] == f"result    static decides: {verdict}"
    assert not found.comes_in


async def test_a_gate_that_cannot_be_judged() -> None:
    """Without an address its gate stays open to question, and the rest is judged."""
    found = await told(Instance("static", Telling(granted(enable_login_ip=["10.0.0.0/8"]))))
    assert "  ?    only addresses in enable_login_ip may log in: 10.0.0.0/8 (--address tries one)" in found.lines
    assert found.comes_in


BROKEN = Granted(Identity("alice", 101), (Right({"id": 101, "username": "alice", "enable_sensors": "x"}),))
CHAINS: list[tuple[list[tuple[Any, ...]], bool, str]] = [
    ([(NotMine(),), (granted(),)], True, "second decides: with the right password he comes in"),
    ([(Rejected("disabled"),), (granted(),)], False, "first refuses him, and no other is asked"),
    ([(Rejected("disabled"), "stop", False), (granted(),)], True, "second decides"),
    ([(Failed("down"),), (granted(),)], False, 'first fails, and no other is asked; on_failure = "next" would go on'),
    ([(Failed("down"), "next"), (granted(),)], True, "second decides"),
    ([(NotMine(),), (NotMine(),)], False, "no login lets him in that can tell without his password"),
    ([(BROKEN,), (granted(),)], False, "his permissions cannot be used: rights_invalid"),
]


@pytest.mark.parametrize(("chain", "comes_in", "verdict"), CHAINS)
async def test_the_verdict_follows_the_chain(chain: list[tuple[Any, ...]], comes_in: bool, verdict: str) -> None:
    """NotMine goes on, Rejected and Failed stop unless configured otherwise; what comes after is shown all the same."""
    names = ("first", "second")
    instances = [Instance(name, Telling(each[0]), *each[1:]) for name, each in zip(names, chain, strict=True)]
    found = await told(*instances)
    assert found.comes_in is comes_in
    assert verdict in found.lines[-1]
    assert all(any(line.startswith(f"login     {name}:") for line in found.lines) for name in names)


async def test_a_login_that_cannot_tell_is_said() -> None:
    """One that only a password can ask says so, and where it is asked first the verdict is in doubt."""
    found = await told(Instance("script", Silent(None)), Instance("static", Telling(granted())))
    assert found.lines[1] == "login     script: cannot tell without his password"
    assert found.lines[-1].strip() == "script is asked before that, and only a password shows what it says"
    assert found.comes_in


async def test_nobody_but_one_that_cannot_tell() -> None:
    """Where no other login decides, what it says is left open: nobody is said to be asked after it."""
    found = await told(Instance("static", Telling(NotMine())), Instance("script", Silent(None)))
    assert [line.partition("  ")[2].strip() for line in found.lines[-2:]] == [
        "no login lets him in that can tell without his password",
        "whether script does, only his password shows",
    ]
    assert not found.comes_in


async def test_a_password_that_is_too_old() -> None:
    """Its gate is shut by its age too, as at a login, and the line says by what."""
    rights = granted(password_expiration_days=30).rights
    old = Granted(Identity("alice", 101, password_changed_at=1_700_000_000.0 - 31 * 86_400), rights)
    found = await told(Instance("static", Telling(old)))
    assert "  NO   password expired, by password_expiration_days (30 days)" in found.lines
    assert not found.comes_in


async def test_where_somebody_was_looked_for() -> None:
    """Of whom a login does not know it says where it asked, not that something was found."""

    class Looking(Telling):
        async def explain(self, user: str, groups: Sequence[str] | None) -> Known:
            assert self.outcome is not None
            return Known(self.outcome, "ldaps://dc1")

    for outcome, line in (
        (NotMine(), "          asked     ldaps://dc1"),
        (Failed("two of that name"), "          asked     ldaps://dc1"),
        (Rejected("disabled"), "          found     ldaps://dc1"),
    ):
        found = await told(Instance("corp", Looking(outcome)))
        assert found.lines[2] == line


async def test_a_plugin_that_breaks_is_not_quoted() -> None:
    """An exception is a failure by its type alone."""

    class Breaks(Scripted):
        async def refresh(self, identity: Identity) -> Outcome:
            raise ValueError("hunter2")

    found = await told(Instance("corp", Breaks(None)))
    assert "login     corp: fails: raised ValueError" in found.lines
    assert "hunter2" not in "".join(found.lines)


@pytest.mark.parametrize(
    ("user", "code", "says"), [("alice", 0, "comes in"), ("eve", 1, "no login"), ("\x00", 2, "name")]
)
def test_the_command(tmp_path: Path, user: str, code: int, says: str) -> None:
    """On a users file: 0 for who comes in, 1 for who does not, 2 for what is no name; the file's entry is named."""
    users = [{"username": "alice", "password": "secret", "id": 101, "can_cdr": True, "req_2fa": False}]
    config = configure(tmp_path, "http://127.0.0.1:1", port=1, users=users)
    told = CliRunner().invoke(main, ["explain-login", "--config", str(config), user])
    assert (told.exit_code, says in told.output) == (code, True), told.output
    assert ('users.toml: user[1] "alice"' in told.output) is (user == "alice")
    assert "$argon2" not in told.output
