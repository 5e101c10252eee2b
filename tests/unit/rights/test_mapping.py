"""The mapping: groups become one dictionary per line, and every mistake is told at once, with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from authgw.contract import (
    Compare,
    ConfigError,
    Granted,
    GroupMapping,
    Identity,
    MappingFile,
    Rejected,
    load_mapping,
    mapped,
)
from authgw.rights.mapping import of_text
from authgw.rights.parse import Parsed, parse

GOOD = """
[[tenant]]
name = "acme"
sensors = [2, 3]
number = ["+4420%"]
[[tenant]]
name = "globex"
sensors = "all"
vlan = [7]
[[tenant]]
name = "everything"
sensors = "all"
[[role]]
name = "operator"
grants = ["can_cdr", "can_pcap", "no_rtp"]
[[role]]
name = "auditor"
grants = ["can_cdr"]
can_audit = 1
req_2fa = true
[[grant]]
group = "cn=noc,dc=example"
role = "operator"
tenant = "acme"
[[grant]]
group = "cn=noc,dc=example"
role = "auditor"
tenant = "globex"
[[grant]]
group = "boss"
role = "auditor"
tenant = "everything"
"""
TENANT, ROLE = '[[tenant]]\nname = "t"\nsensors = [1]\n', '[[role]]\nname = "r"\ngrants = ["can_cdr"]\n'
GRANT = '[[grant]]\ngroup = "cn=g,dc=example"\nrole = "r"\ntenant = "t"\n'


def good(compare: Compare = Compare.DN) -> GroupMapping:
    return of_text(GOOD, "/etc/authgw/mapping.toml", compare)


def problems(text: str, compare: Compare = Compare.DN) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        of_text(text, "mapping.toml", compare)
    return [str(problem) for problem in caught.value.problems]


def test_each_matching_line_is_a_right_of_its_own() -> None:
    """Two lines for one group are two dictionaries, each with its own tenant's rows, and never mixed."""
    found = mapped(good(), Identity("alice", 5), ["CN=NOC,DC=Example", "cn=else,dc=example"])
    assert isinstance(found, Granted)
    first, second = found.rights
    assert first.label == "mapping.toml grant[1] operator@acme"
    assert first.dictionary == {
        "id": 5,
        "username": "alice",
        "can_cdr": True,
        "can_pcap": True,
        "no_rtp": True,
        "enable_sensors": [2, 3],
        "number": ["+4420%"],
    }
    assert second.label == "mapping.toml grant[2] auditor@globex"
    assert second.dictionary == {
        "id": 5,
        "username": "alice",
        "can_cdr": True,
        "can_audit": 1,
        "req_2fa": True,
        "vlan": [7],
    }
    assert found.identity.tenant == ""


def test_the_tenant_of_one_line_is_the_identitys() -> None:
    """Where all lines agree on the tenant it becomes the label for audit and ending sessions."""
    found = mapped(good(Compare.TEXT), Identity("alice", 5), ["boss"], password_expired=True)
    assert isinstance(found, Granted)
    assert found.identity.tenant == "everything"
    assert found.rights[0].dictionary["password_expired"] is True


@pytest.mark.parametrize("groups", [[], ["cn=other,dc=example"], ["noc"], ["boss"], ["cn=noc"], [""], ["\\"]])
def test_no_line_is_no_login(groups: list[str]) -> None:
    """Whoever is in no mapped group stays out, and the reason names the file."""
    found = mapped(good(), Identity("alice", 5), groups)
    assert isinstance(found, Rejected)
    assert "mapping.toml" in found.reason


def test_every_line_parses() -> None:
    """What the mapping makes is what the one parser of dictionaries understands, strictly."""
    for line in good().lines:
        assert isinstance(parse({**line.dictionary, "id": 1}, line.label, strict=True), Parsed)


@pytest.mark.parametrize(
    ("group", "matches"),
    [
        ("cn=ops,ou=groups,dc=example", True),
        ("CN = Ops , OU=GROUPS,dc=example", True),
        ("2.5.4.3=ops,organizationalUnitName=groups,0.9.2342.19200300.100.1.25=example", True),
        ("cn=\\6fps,ou=groups,dc=example", True),
        ("cn=ops-x,ou=groups,dc=example", False),
        ("cn=ops", False),
        ("cn=ops,ou=evil,ou=groups,dc=example", False),
        ("ou=x,cn=ops,ou=groups,dc=example", False),
        ("cn=ops,ou=groups", False),
        ("cn=ops\\,ou=groups,dc=example", False),
        ("cn=ops+ou=groups,dc=example", False),
        ("cn=ops,ou=groups,dc=example,", False),
    ],
)
def test_names_are_compared_whole(group: str, matches: bool) -> None:
    """Spelling makes no difference to a distinguished name; a part of one is another name."""
    text = TENANT + ROLE + GRANT.replace("cn=g,dc=example", "cn=ops,ou=groups,dc=example")
    assert bool(of_text(text, "m", Compare.DN).matching([group])) is matches


@pytest.mark.parametrize(
    ("group", "matches"),
    [("cn=Ops\\, EU,dc=example", True), ("cn=ops\\2C  eu,dc=example", True), ("cn=Ops,cn=EU,dc=example", False)],
)
def test_escapes(group: str, matches: bool) -> None:
    """A comma inside a name is written in two ways and never parts it."""
    text = TENANT + ROLE + GRANT.replace('"cn=g,dc=example"', "'cn=Ops\\, EU,dc=example'")
    assert bool(of_text(text, "m", Compare.DN).matching([group])) is matches


@pytest.mark.parametrize(
    ("group", "matches"), [("/ops", True), ("/OPS", False), ("/ops-x", False), ("/ops/sub", False)]
)
def test_text_is_compared_letter_by_letter(group: str, matches: bool) -> None:
    """Groups of a provider are what they are."""
    text = TENANT + ROLE + GRANT.replace("cn=g,dc=example", "/ops")
    assert bool(of_text(text, "m", Compare.TEXT).matching([group])) is matches


@pytest.mark.parametrize(
    ("text", "place", "word"),
    [
        ('[[tenant]]\nname = "t"\n' + ROLE + GRANT, 'tenant[1] "t".sensors', "is missing"),
        (TENANT.replace("[1]", '"every"') + ROLE + GRANT, 'tenant[1] "t".sensors', '"all"'),
        (TENANT.replace("[1]", '["x"]') + ROLE + GRANT, 'tenant[1] "t".sensors', "whole number"),
        (TENANT + "number = []\n" + ROLE + GRANT, 'tenant[1] "t".number', "is empty"),
        (TENANT + 'ip = "\\n"\n' + ROLE + GRANT, 'tenant[1] "t".ip', "is empty"),
        (TENANT + 'ip = ["10.0.0.0/99"]\n' + ROLE + GRANT, 'tenant[1] "t".ip', "10.0.0.0/99"),
        (TENANT + "enable_sensors = [1]\n" + ROLE + GRANT, 'tenant[1] "t".enable_sensors', "sensors"),
        (TENANT + "can_cdr = true\n" + ROLE + GRANT, 'tenant[1] "t".can_cdr', "[[role]]"),
        (TENANT + "numbr = ['1']\n" + ROLE + GRANT, 'tenant[1] "t".numbr', "did you mean number?"),
        (TENANT + TENANT + ROLE + GRANT, 'tenant[2] "t".name', "taken"),
        (TENANT + ROLE + ROLE + GRANT, 'role[2] "r".name', "taken"),
        (TENANT + '[[role]]\nname = "r"\n' + GRANT, 'role[1] "r".grants', "is missing"),
        (TENANT + ROLE.replace("can_cdr", "can_cdrs") + GRANT, 'role[1] "r".grants', "did you mean can_cdr?"),
        (TENANT + ROLE.replace("can_cdr", "can_audit") + GRANT, 'role[1] "r".grants', "with its value"),
        (TENANT + ROLE.replace("can_cdr", "number") + GRANT, 'role[1] "r".grants', "number"),
        (TENANT + ROLE + "can_cdr = false\n" + GRANT, 'role[1] "r".can_cdr', "once"),
        (TENANT + ROLE + 'number = ["1"]\n' + GRANT, 'role[1] "r".number', "[[tenant]]"),
        (TENANT + ROLE + "id_group = 1\n" + GRANT, 'role[1] "r".id_group', "person's own"),
        (TENANT + ROLE + "id = 1\n" + GRANT, 'role[1] "r".id', "person's own"),
        (TENANT + ROLE + 'no_rtp = "perhaps"\n' + GRANT, 'role[1] "r".no_rtp', "true or false"),
        (TENANT + ROLE + GRANT.replace('"r"', '"rr"'), "grant[1].role", "did you mean r?"),
        (TENANT + ROLE + GRANT.replace('"t"', '"*"'), "grant[1].tenant", "no tenant"),
        (TENANT + ROLE + GRANT.replace('tenant = "t"\n', ""), "grant[1].tenant", "is missing"),
        (TENANT + ROLE + GRANT.replace("cn=g,dc=example", "  "), "grant[1].group", "name of a group"),
        (TENANT + ROLE + GRANT.replace("cn=g,dc=example", "cn=a, EU,dc=x"), "grant[1].group", "attribute type"),
        (TENANT + ROLE + GRANT + GRANT.replace("cn=g", "CN= G"), "grant[2]", "earlier"),
        (TENANT + ROLE + GRANT + "limit = 1\n", "grant[1].limit", "not known"),
        (TENANT + ROLE, "grant", "nobody"),
        (TENANT + ROLE + GRANT + "[[grants]]\n", "grants", "not known"),
        ("[tenant]\n" + ROLE + GRANT, "tenant", "two brackets"),
        ("[[tenant\n", "line 1, column 9", "TOML"),
    ],
)  # fmt: skip
def test_mistakes_are_located(text: str, place: str, word: str) -> None:
    """Each mistake is refused, with the place it is at and what would be right."""
    found = [line for line in problems(text) if line.startswith(f"mapping.toml: {place}: ") and word in line]
    assert found, problems(text)


def test_all_mistakes_at_once() -> None:
    """One start tells everything that is wrong with the file."""
    text = TENANT.replace("sensors = [1]\n", "") + ROLE.replace("can_cdr", "fly") + GRANT.replace('"r"', '"x"')
    assert len(problems(text)) == 3


def test_the_file(tmp_path: Path) -> None:
    """A file that is gone, open to everybody or no text is refused by name; a good one is read."""
    path = tmp_path / "mapping.toml"
    for content, mode, word in (
        (None, 0, "cannot be read"),
        (GOOD.encode(), 0o666, "chmod"),
        (b"\xff", 0o600, "UTF-8"),
    ):
        if content is not None:
            path.write_bytes(content)
            path.chmod(mode)
        with pytest.raises(ConfigError, match=word):
            load_mapping(path)
    path.write_text(GOOD)
    assert len(load_mapping(path).lines) == 3


def test_a_changed_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A line taken out counts at once; a wrong one leaves the last good state, a file that is gone none."""
    path = tmp_path / "mapping.toml"
    path.write_text(GOOD)
    file = MappingFile(path)
    assert len(file.current().lines) == 3
    before = file.version()
    path.write_text(GOOD[: GOOD.rindex("[[grant]]")])
    assert file.version() != before
    assert len(file.current().lines) == 2
    path.write_text("[[grant]]\n")
    assert [len(file.current().lines) for _ in range(2)] == [2, 2]
    path.unlink()
    assert len(caplog.records) == 1
    with pytest.raises(ConfigError, match="gone"):
        file.current()
    path.write_text(GOOD)
    assert len(file.current().lines) == 3
