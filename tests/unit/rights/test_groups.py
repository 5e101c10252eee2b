"""Group templates: their file, and how they fill in a user's dictionary."""

from __future__ import annotations

from pathlib import Path

import pytest

from authgw.errors import ConfigError
from authgw.rights import groups
from authgw.rights.parse import Invalid, Parsed, parse

GOOD = """
[[group]]
id = 1
name = "operators"
can_cdr = true
can_pcap = false
number = ["+4420%"]
max_bad_login_attempt = 3

[[group]]
id = 2
group_blocked = true
"""


def test_groups_are_read_from_a_file(tmp_path: Path) -> None:
    """Each [[group]] is found by its id, with its name and what it states."""
    (tmp_path / "groups.toml").write_text(GOOD)
    found = groups.load(tmp_path / "groups.toml")
    assert set(found) == {1, 2}
    assert found[1].name == "operators"
    assert set(found[1].values) == {"can_cdr", "can_pcap", "number", "max_bad_login_attempt"}


def test_every_mistake_in_the_file_is_located(tmp_path: Path) -> None:
    """Wrong values, unknown keys, keys that only users have, ids missing or taken: all at once."""
    text = """
        color = "red"
        [[group]]
        id = 1
        can_cdr = "yes"
        can_pcpa = true
        [[group]]
        id = 1
        enable_sensors = [2]
        secret = "GEZDGNBVGY3TQOJQ"
        ip = ["10.0.0.300"]
        [[group]]
        can_cdr = true
        [[group]]
        id = 4
        [[group]]
        id = 4
    """
    (tmp_path / "groups.toml").write_text(text)
    with pytest.raises(ConfigError) as raised:
        groups.load(tmp_path / "groups.toml")
    problems = raised.value.problems
    assert {problem.source for problem in problems} == {str(tmp_path / "groups.toml")}
    assert [problem.where for problem in problems] == [
        "color",
        "group 1.can_cdr",
        "group 1.can_pcpa",
        "group 2.enable_sensors",
        "group 2.ip",
        "group 2.secret",
        "group 3.id",
        "group 5.id",
    ]
    assert "did you mean can_pcap?" in problems[2].message
    assert "GEZD" not in str(raised.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"[[group]]\nid = = 1", "line 2"),
        (b"[group]\nid = 1", "two brackets"),
        (b"group = 3", "two brackets"),
        (b"\xff", "byte 0"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, content: bytes, says: str) -> None:
    """Broken TOML, one bracket and other encodings are located."""
    (tmp_path / "groups.toml").write_bytes(content)
    with pytest.raises(ConfigError, match=says):
        groups.load(tmp_path / "groups.toml")
    with pytest.raises(ConfigError, match="cannot be read"):
        groups.load(tmp_path / "missing.toml")


def test_what_the_group_states_wins() -> None:
    """The group's keys replace the user's; keys that it does not state keep the user's value."""
    user = {
        "id": 7,
        "id_group": "1",
        "name": "Alice",
        "can_pcap": 1,
        "can_play_audio": 1,
        "number": ["222"],
        "domain": ["a"],
    }
    parsed = parse(user, "plugin", groups=groups.of_text(GOOD, "groups.toml"))
    assert isinstance(parsed, Parsed)
    assert parsed.grant.flags == {"can_cdr", "can_play_audio"}
    assert parsed.grant.scope.number == ("+4420%",)
    assert parsed.grant.scope.domain == ("a",)
    assert parsed.gates.max_bad_login_attempt == 3
    assert (parsed.id, parsed.name, parsed.warnings) == (7, "Alice", ())


def test_blocked_by_the_group() -> None:
    """A blocked group blocks; the user's own block is untouched by it."""
    parsed = parse({"id": 7, "id_group": 2, "blocked": 0}, "plugin", groups=groups.of_text(GOOD, "groups.toml"))
    assert isinstance(parsed, Parsed)
    assert (parsed.gates.blocked, parsed.gates.group_blocked) == (False, True)


def test_a_group_that_empties_a_scope_is_pointed_out() -> None:
    """A template that states an empty list takes the user's own off, which an administrator should hear of."""
    emptying = groups.of_text("[[group]]\nid = 1\nnumber = []\nip = []", "groups.toml")
    parsed = parse({"id": 7, "id_group": 1, "number": ["222"]}, "plugin", groups=emptying)
    assert isinstance(parsed, Parsed)
    assert parsed.grant.scope.number == ()
    assert [warning.where for warning in parsed.warnings] == ["number"]


@pytest.mark.parametrize("number", [3, "3", 0, -1, "x", True, [1]])
def test_an_unknown_group_refuses(number: object) -> None:
    """A group that does not exist, or is no number, is a problem; also where there are no templates at all."""
    for known in (groups.of_text(GOOD, "groups.toml"), {}, None):
        parsed = parse({"id": 7, "id_group": number}, "plugin", groups=known)
        assert isinstance(parsed, Invalid)
        assert [problem.where for problem in parsed.problems] == ["id_group"]


@pytest.mark.parametrize("number", [None, ""])
def test_no_group(number: object) -> None:
    """Null and "" are PHP's ways to say that there is no group."""
    assert isinstance(parse({"id": 7, "id_group": number}, "plugin"), Parsed)
