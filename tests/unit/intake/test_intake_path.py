"""Paths: one reading, or none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authgw.intake.path import normalise
from authgw.intake.request import Refused


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (b"/", "/"),
        (b"//", "/"),
        (b"/php/api.php", "/php/api.php"),
        (b"//php//api.php", "/php/api.php"),
        (b"/./php/./api.php", "/php/api.php"),
        (b"/a/../php/api.php", "/php/api.php"),
        (b"/a/b/../../c", "/c"),
        (b"/a/%2E%2e/c", "/c"),
        (b"/php/", "/php/"),
        (b"/php/.", "/php/"),
        (b"/php/x/..", "/php/"),
        (b"/php/..", "/"),
        (b"/%61pi.php", "/api.php"),
        (b"/api%2ephp", "/api.php"),
        (b"/API.PHP", "/API.PHP"),
        (b"/caf%C3%A9", "/café"),
        (b"/caf\xc3\xa9", "/café"),
        (b"/a%20b/c+d", "/a b/c+d"),
        (b"/demo.x/php/a.php", "/demo.x/php/a.php"),
        (b"/.well-known/x", "/.well-known/x"),
        (b"/a..b/c", "/a..b/c"),
    ],
)
def test_paths_are_decoded_once_and_resolved(raw: bytes, path: str) -> None:
    """Slashes merged, dots resolved, case kept."""
    assert normalise(raw) == path


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"php/api.php",
        b"*",
        b"http://gw/php/api.php",
        b"/..",
        b"/a/../..",
        b"/%2e%2e/x",
        b"/%zz",
        b"/%",
        b"/%4",
        b"/\x01",
        b"/a%00",
        b"/a%0d%0a",
        b"/a\\b",
        b"/a%5cb",
        b"/a%2fb",
        b"/app/..%2fapi.php",
        b"/%ff",
        b"/%c0%ae",
        b"/%ed%a0%80",
        b"/%2561",
        b"/a;b",
        b"/a%3bb",
        b"/a#b",
        b"/a%23b",
        b"/a%3fb",
        b"/a?b",
        b"/a.",
        b"/a./b",
        b"/a%20",
        b"/a%20/b",
        b"/...",
        b"/a:b",
        b"/{id}",
        b"/*",
        b"/a%7f",
        b"/a%c2%85",
        b"/a b\t",
    ],
)
def test_ambiguous_paths_are_refused(raw: bytes) -> None:
    """Everything that another reader may take for another path."""
    assert isinstance(normalise(raw), Refused)


@given(st.binary(max_size=40) | st.text("/.%2eEfFcC5p h\\;", max_size=20).map(lambda text: text.encode()))
def test_no_path_escapes(raw: bytes) -> None:
    """Whatever is sent: a refusal, or an absolute path without dots, doubled slashes, controls or PATH_INFO."""
    path = normalise(b"/" + raw)
    if not isinstance(path, Refused):
        assert path.startswith("/")
        assert "//" not in path
        assert not {".", ".."} & set(path.split("/"))
        assert path.isprintable() or not path.isascii()
        assert ".php/" not in path.lower()
        assert not set("\\%;?#\x00") & set(path)
