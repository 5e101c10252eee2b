"""Share links as they are remembered."""

from __future__ import annotations

from pathlib import Path

import pytest

from authgw.rights.claims import Claims, Grant
from authgw.session.links import Link, Links, Opened

CLAIMS = Claims("static", "alice", 1, (Grant(),), tenant="acme")


@pytest.mark.anyio
async def test_links_are_found_with_their_fields_and_more(tmp_path: Path) -> None:
    """A link opens by its path and all of its fields, whatever else the request carries; a part of it opens nothing."""
    url = f"sqlite:///{tmp_path}/links.db"
    links = Links(url, [b"k" * 32], lambda: 1.0)
    await links.keep("/cdr.php", {"share": "T1", "mode": "a"}, (7, 8), CLAIMS, public=True, rtp=False)
    link = Link((7, 8), True, False, "alice", "static", "acme")
    expected = Opened(link, {})
    assert await links.find("/cdr.php", {"share": "T1", "mode": "a"}) == expected
    assert await links.find("/cdr.php", {"share": "T1", "mode": "a", "pcap": "7"}) == Opened(link, {"pcap": "7"})
    for path, fields in (
        ("/message.php", {"share": "T1", "mode": "a"}),
        ("/cdr.php", {"share": "T1"}),
        ("/cdr.php", {"share": "T2", "mode": "a"}),
        ("/cdr.php", {}),
        ("/cdr.php", {f"f{n}": "x" for n in range(50)} | {"share": "T1", "mode": "a"}),
    ):
        assert await links.find(path, fields) is None
    await links.close()
    again = Links(url, [b"n" * 32, b"k" * 32], lambda: 2.0)
    assert await again.find("/cdr.php", {"share": "T1", "mode": "a"}) == expected
    await again.close()
    other_key = Links(url, [b"x" * 32], lambda: 2.0)
    assert await other_key.find("/cdr.php", {"share": "T1", "mode": "a"}) is None
    await other_key.close()
    assert b"T1" not in (tmp_path / "links.db").read_bytes()


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, True),
        ({"pcap": "8"}, True),
        ({"pcap": "9"}, False),
        ({"pcap": "08"}, False),
        ({"sql": "7"}, False),
        ({"pcap": "7", "audio": "8"}, False),
    ],
)
def test_a_request_may_name_one_of_the_calls_and_nothing_else(more: dict[str, str], expected: bool) -> None:
    """Beyond the link itself a request says at most which of its calls it means, by a name that the policy knows."""
    link = Link((7, 8), True, False, "alice", "static", "acme")
    assert Opened(link, more).fits({"pcap", "audio"}) is expected


@pytest.mark.parametrize(
    ("rtp", "history", "pcap", "audio"),
    [(False, False, True, False), (True, False, True, True), (False, True, False, False), (True, True, False, False)],
)
def test_a_link_opens_the_files_that_it_was_made_with(rtp: bool, history: bool, pcap: bool, audio: bool) -> None:
    """Sound where it is with RTP, no file at all where it is to the SIP history; the page always."""
    link = Link((7,), True, rtp, "alice", "static", "acme", history)
    names = {"pcap", "audio"}
    assert Opened(link, {}).fits(names)
    assert Opened(link, {"pcap": "7"}).fits(names) is pcap
    assert Opened(link, {"audio": "7"}).fits(names) is audio
