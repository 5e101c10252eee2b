"""Where the login may lead to."""

from __future__ import annotations

from urllib.parse import unquote, urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authgw.login.target import safe_target

BASE = "https://gw.example.com/authgw/login"
DEFAULT = "/admin.php"

GOOD = [
    "/", "/admin.php", "/demo/admin.php", "/admin.php?cdr_filter=%7Bfcallid%3A%22a%40b%22%7D",
    "/index.php?activecalls=1&hidegrid=1&hidemenu=1", "/php/pcap.php?id=1", "/a-b_c~d.e/f", "/a,b;c=d", "/a/",
    "/%C4%8Derven%C3%BD", "/x?u=https://evil.example/", "/x?u=//evil.example", "/a%20b", "/authgw/account",
]  # fmt: skip

_HOSTS = ["evil.example", "evil.example/", "evil.example:443", "gw.example.com@evil.example", "[::1]", "127.0.0.1"]
_LEADS = [
    "//", "///", "////", "/\\", "\\\\", "\\/", "/\t/", "/\n/", "/\r/", "/ /", "\t//", " //", "\n//", "\x00//", "/\x00/",
    "/%09/", "/%0a/", "/%0d/", "/%00/", "/%2f", "/%2F", "/%5c", "/%5C", "/%2f%2f", "%2f%2f", "%5c%5c", "/.//", "/..//",
    "/./\\", "/%2e%2f", "/%2e%2e%2f", "/%2e/", "/%252f", "/%255c", "/;//", "/?/../..//../#//", "/a//", "/a/..//",
    "https:", "https:/", "https://", "https:///", "http://", "HTTPS://", "hTtP:", "ftp://", "javascript:", "data:",
    "javascript://", "vbscript:", "blob:https://", "about:", "file:///", "mailto:", "ws://", "wss://", "view-source:",
    "/\u3000/", "/\u2028/", "/\u00a0/", "\ufeff//", "／／", "/／", "/\u29f8", "/\u2044", "/\uff3c", "@", ".", "..", "?",
    "#", "", ":", "://", ":80//", "/\x85/", "/\x0b/", "/\x0c/", "/\x1f/", "/\x7f/", "/\u202e//", "/\u200b/", "/\u00ad/",
    "/%E3%80%82//", "/%c0%af", "/%c0%ae%c0%ae/", "/%u002f", "/%", "/%2", "/%zz/", "/a\\b//", "/a/%2e%2e//", "/<",
    "/\"", "/'//", "/`", "/{", "/|", "/^", "/[", "/authgw/login?next=//", "/authgw/logout//", "/authgw/static//",
]  # fmt: skip
# "/%21" is a plain "!": the one pair that makes an ordinary path.
EVIL = sorted({lead + host for lead in _LEADS for host in _HOSTS} - {"/%2127.0.0.1"})


@pytest.mark.parametrize("wanted", GOOD)
def test_plain_paths_pass(wanted: str) -> None:
    """A path of this site, with or without a query, is where the login leads to, byte for byte."""
    assert safe_target(wanted, DEFAULT) == wanted


def test_the_corpus_is_large() -> None:
    """The list of addresses that must not pass keeps its size."""
    assert len(EVIL) > 500


@pytest.mark.parametrize("wanted", EVIL)
def test_nothing_leads_away(wanted: str) -> None:
    """Every trick of the corpus ends at the default page, whatever a browser would make of it."""
    assert safe_target(wanted, DEFAULT) == DEFAULT


@pytest.mark.parametrize(
    "wanted", ["/./a", "/../a", "/a/..", "/a/.", "/a/../b", "/a/./b", "/..", "/.", "/%2e/a", "/.%2e/a"]
)
def test_no_detours(wanted: str) -> None:
    """A path with dot segments may mean another one to the next reader, and is not followed."""
    assert safe_target(wanted, DEFAULT) == DEFAULT


@pytest.mark.parametrize("wanted", [None, 7, ["/a"], "", "admin.php", "/a#b", "/" + "a" * 3000, "/a\n", "/é"])
def test_what_is_no_path_at_all(wanted: object) -> None:
    """Other types, relative, fragmented, endless and unescaped ones are not followed."""
    assert safe_target(wanted, DEFAULT) == DEFAULT


@pytest.mark.parametrize(
    "wanted", ["/a?b=%0d%0aSet-Cookie:x", "/a?b=%00", "/a?b=%7f", "/a?b=\\", "/a?b=<", "/a?b=%zz", "/a?b=\t"]
)
def test_no_control_in_a_query(wanted: str) -> None:
    """Line ends and other controls, escaped or not, pass neither in the path nor in the query."""
    assert safe_target(wanted, DEFAULT) == DEFAULT


@given(st.text(alphabet="/\\.%25fFcC#?@:;ae\t\n htps&=-", max_size=24))
def test_whatever_passes_stays_here(wanted: str) -> None:
    """Whatever passes is on this origin for a reader by RFC 3986, also after it was decoded once or twice."""
    target = safe_target(wanted, DEFAULT)
    for read in (target, unquote(target), unquote(unquote(target))):
        path = read.partition("?")[0]
        joined = urlsplit(urljoin(BASE, path))
        assert (joined.scheme, joined.netloc) == ("https", "gw.example.com")
        assert path.startswith("/")
        assert not path.startswith(("//", "/\\"))
