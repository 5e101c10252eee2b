"""The product's own words about sessions."""

from __future__ import annotations

import pytest

from authgw.upstream import bypass

VENDOR = (
    b'{"SID":"ahs2ubdhc0ukb262be60v900ko","cookie_name":"PHPSESSID","success":true,"_vm_version":240034,"_debug":false}'
)


def test_the_vendors_example() -> None:
    """The login answer that the Web API description shows opens a session under the cookie it names."""
    assert bypass.cookie(200, VENDOR) == "PHPSESSID=ahs2ubdhc0ukb262be60v900ko"


@pytest.mark.parametrize(
    ("location", "asked", "expected"),
    [
        ("/demo/index.php", "/php/pcap.php", True),
        ("http://gui:81/demo/", "/php/pcap.php", True),
        ("index.php?x=y", "/php/pcap.php", True),
        ("/demo/login.php", "/index.php", True),
        ("/demo/index.php", "/", False),
        ("/demo/", "/index.php", False),
        ("/demo/index.php?activecalls=1", "/index.php", False),
        ("/demo/php/other.php", "/php/pcap.php", False),
        ("/demo/admin.php", "/", False),
    ],
)
def test_login_page(location: str, asked: str, expected: bool) -> None:
    """A redirect from a call to a start page is a lost session; one between start pages is the GUI's own way."""
    assert bypass.is_login_page(location, "/demo", asked) is expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("", True),
        ("text/html; charset=UTF-8", True),
        ("Application/JSON", True),
        ("application/javascript", True),
        ("application/vnd.tcpdump.pcap", False),
        ("application/octet-stream", False),
        ("audio/x-wav", False),
    ],
)
def test_what_is_looked_into(kind: str, expected: bool) -> None:
    """Text and JSON may be a refusal; captures and audio are never held back to be looked into."""
    assert bypass.may_be_refusal(kind) is expected


def test_many_lines_are_bounded() -> None:
    """Only the first lines are tried as the beginning of a document."""
    assert len(bypass.documents(b"{\n" * 2000)) <= bypass.MAX_LINES + 1
