"""The catalogue: strict files, and exactly one entry for a request."""

from __future__ import annotations

from pathlib import Path

import pytest

from authgw.catalogue.load import load
from authgw.catalogue.match import Catalogue
from authgw.catalogue.model import Entry
from authgw.errors import ConfigError

SHIPPED = load(["voipmonitor"], Path())


def named(path: str, fields: dict[str, str]) -> str | None:
    hit = SHIPPED.match(path, fields)
    return hit[0].name if hit else None


@pytest.mark.parametrize(
    ("path", "fields", "expected"),
    [
        ("/php/model/sql.php", {"module": "bypass_login", "user": "u"}, "bypass-login"),
        ("/php/model/sql.php", {"module": "relogin", "action": "login"}, "product-relogin"),
        ("/php/model/sql.php", {"task": "LISTING", "module": "CDR"}, "cdr-listing"),
        ("/php/model/sql.php", {"task": "listing", "module": "CDR"}, None),
        ("/php/model/sql.php", {"task": "LISTING", "module": "nobody_knows"}, None),
        ("/php/model/sql.php", {"task": "LISTING", "module": "user_admin"}, "administration"),
        ("/php/model/sql.php", {"task": "save", "module": "users_x"}, "administration-changes"),
        ("/php/model/sql.php", {"task": "LISTING", "module": "cb_ip_groups"}, "codebooks"),
        ("/php/model/sql.php", {"task": "LISTING", "module": "register_failed"}, "registrations"),
        ("/php/model/sql.php", {}, None),
        ("/php/pcap.php", {"id": "1"}, "pcap"),
        ("/PHP/pcap.php", {"id": "1"}, None),
        ("/php/12.wav", {}, "audio-play"),
        ("/php/a/12.wav", {}, None),
        ("/index.php", {}, "gui-index"),
        ("/index.php", {"logout": ""}, "index-logout"),
        ("/index.php", {"activecalls": "1", "hidegrid": "1"}, "gui-active-calls"),
        # Both a logout and a page: not exactly one call.
        ("/index.php", {"activecalls": "1", "logout": ""}, None),
        ("/js/app.js", {}, "gui-files"),
        ("/js/app.php", {}, None),
        ("/config/app.js", {}, "config-folder"),
        ("/api/chunkplayer/x.js", {}, "chunkplayer"),
        ("/upgrade.php", {}, "upgrade"),
        ("/php/api.php", {"task": "getDashboardPanel"}, None),
        ("/php/model/utilities.php", {"task": "anything"}, None),
    ],
)
def test_exactly_one_entry_or_none(path: str, fields: dict[str, str], expected: str | None) -> None:
    """A request is one call of the catalogue, or it is unknown."""
    assert named(path, fields) == expected


def test_parts_of_a_path_are_fields() -> None:
    """What a path carries is judged like a field, and cannot be given twice."""
    hit = SHIPPED.match("/php/12.wav", {})
    assert hit is not None
    assert hit[1] == {"id": "12"}
    assert SHIPPED.match("/php/12.wav", {"id": "13"}) is None


def write(folder: Path, text: str) -> Path:
    (folder / "site.toml").write_text(text)
    return folder


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[[call]]\nname = 'x'\npath = '/x'\ncolour = 'red'", 'call "x".colour'),
        ("[[call]]\nname = 'x'\npath = 'x'", 'call "x".path'),
        ("[[call]]\npath = '/x'", "call[1].name"),
        ("[[call]]\nname = 'x'\npath = '/x'\nneeds = ['can_everything!']", "is no can_* flag"),
        ("[[call]]\nname = 'x'\npath = '/x'\nparams = { id = 'cdrid' }", "unknown type"),
        ("[[call]]\nname = 'x'\npath = '/x'\nauth = 'none'\nneeds = ['can_cdr']", "cannot name a claim"),
        ("[[call]]\nname = 'x'\npath = '/x'\nobject = { cdr = 'id' }", "object names a field"),
        ("[[call]]\nname = 'x'\npath = '/x'\nreply = 'rows'", "belong together"),
        ("[[call]]\nname = 'pcap'\npath = '/x'", "taken already"),
        ("[[call]]\nname = 'x'\npath = '/php/pcap.php'", "same path and conditions"),
        (
            "[[call]]\nname = 'x'\npath = '/x'\njson = 'p'\nparams = { p = 'json' }\nelement_of = 'nothing'",
            "there is no call",
        ),
        ("[call]\nname = 'x'", "two brackets"),
        ("[calls]\n", "unknown table"),
        ("[[call]\n", "no TOML"),
    ],
)
def test_mistakes_are_located(tmp_path: Path, text: str, expected: str) -> None:
    """Each mistake in a policy file is told with its file and its call."""
    with pytest.raises(ConfigError) as raised:
        load(["voipmonitor", "site.toml"], write(tmp_path, text))
    (problem,) = raised.value.problems
    assert expected in str(problem)
    assert "site.toml" in problem.source


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    """Every mistake is told, not only the first."""
    text = "[[call]]\nname = 'a'\npath = 'x'\nx = 1\n[[call]]\nname = 'b'\npath = '/y'\nmethods = ['PUT']\n"
    with pytest.raises(ConfigError) as raised:
        load(["site.toml", "missing.toml"], write(tmp_path, text))
    assert len(raised.value.problems) == 4


def test_more_conditions_win() -> None:
    """On one path the entry with the most conditions is the call."""
    plain = Entry(name="plain", path="/a.php")
    special = Entry(name="special", path="/a.php", where={"task": "x"})
    for order in ([plain, special], [special, plain]):
        hit = Catalogue(order).match("/a.php", {"task": "x"})
        assert hit is not None
        assert hit[0].name == "special"
