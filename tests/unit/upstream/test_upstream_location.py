"""Redirects of the GUI, seen from outside."""

from __future__ import annotations

import pytest

from authgw.errors import UpstreamError
from authgw.reasons import Reason
from authgw.upstream.location import public
from authgw.upstream.wire import Base

BASE = Base("gui.example", 8081, path="/demo")
PUBLIC = "https://voip.example.com/demo"


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("http://gui.example:8081/demo/admin.php?a=b#c", PUBLIC + "/admin.php?a=b#c"),
        ("HTTP://GUI.example:8081/demo/", PUBLIC + "/"),
        ("//gui.example:8081/demo/x", PUBLIC + "/x"),
        ("/demo", PUBLIC + "/"),
        ("/demo/php/x.php", PUBLIC + "/php/x.php"),
        ("other.php", PUBLIC + "/php/other.php"),
        ("?page=2", PUBLIC + "/php/here.php?page=2"),
        ("../admin.php", PUBLIC + "/admin.php"),
        ("./", PUBLIC + "/php/"),
    ],
)
def test_inside(location: str, expected: str) -> None:
    """A place inside the upstream's base path is the same place below the public address."""
    assert public(location, "/php/here.php", BASE, PUBLIC) == expected
    assert public(location, "/php/here.php", BASE, PUBLIC + "/") == expected


@pytest.mark.parametrize(
    "location",
    [
        "",
        "https://gui.example:8081/demo/",
        "http://gui.example/demo/",
        "http://gui.example:8082/demo/",
        "http://evil.example/demo/",
        "http://gui.example:8081@evil.example/demo/",
        "http://user@gui.example:8081/demo/",
        "http://gui.example:8081.evil.example/demo/",
        "http://gui.example:99999/demo/",
        "//evil.example/demo/",
        "/\\evil.example",
        "\\\\evil.example",
        "/demo/\\evil",
        "/",
        "/other/x",
        "/demon/x",
        "../../x",
        "/demo/../x",
        "/demo/%2e%2e/x",
        "/demo/%2E./x",
        "/demo/..%2fx",
        "/demo/a%5cb",
        "/demo/a%00",
        "/demo//evil.example",
        "/demo/a b",
        "/demo/a\r\nSet-Cookie: x=y",
        "/demo/\tx",
        "/demo/\xe9",
        "javascript:alert(1)",
        "data:text/html,x",
        "/demo/a#b#c",
    ],
)
def test_elsewhere(location: str) -> None:
    """Any other host, scheme, port or path, and whatever could be read in two ways, is refused."""
    with pytest.raises(UpstreamError) as caught:
        public(location, "/php/here.php", BASE, PUBLIC)
    assert caught.value.reason is Reason.UPSTREAM_REDIRECT


def test_at_the_root() -> None:
    """With the GUI at the root every path of its origin is inside."""
    assert public("/x?y", "/", Base("g", 80), "http://p:1") == "http://p:1/x?y"
    assert public("http://g/", "/", Base("g", 80), "http://p:1") == "http://p:1/"
