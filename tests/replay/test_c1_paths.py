"""Paths that two readers take for two places: what was judged is what is asked for, or nothing is."""

from __future__ import annotations

import random

import pytest

from kit.attacked import ABSENT, FOREIGN, LISTING, MINE, REFUSED, Site
from kit.raw import Got

PCAP = f"/php/pcap.php?id={FOREIGN}"
ANON, ALICE = "", "alice"
# (CVE, who, target, further header lines): none of these gets anything of the GUI.
HOSTS = ["x/authgw/static/?y=", "gw/static/#", "gw@evil/", "gw:80:80", "", "gw evil", "gw\\evil", "gw:99999", "a,b"]
ATTACKS: list[tuple[str, str, str | bytes, tuple[str, ...]]] = [
    *(
        ("CVE-2025-54576", ANON, f"/php/{what}", ())
        for what in ("api.php?x=/authgw/login", "pcap.php?/authgw/static/a")
    ),
    *(
        ("CVE-2026-41059", who, target, ())
        for who in (ANON, ALICE)
        for target in ("/admin.php#/authgw/login", "/php/api.php%23/authgw/x", "/authgw/%23/../../php/pcap.php?id=1")
    ),
    *(
        ("CVE-2026-34457", ANON, "/admin.php", (f"User-Agent: {agent}",))
        for agent in ("GoogleHC/1.0", "kube-probe/1.30", "ELB-HealthChecker/2.0", "authgw")
    ),
    *(
        ("CVE-2021-32637", who, target, ())
        for who in (ANON, ALICE)
        for target in ("/%zz", b"/\x01", "/%", b"/\xff\xfe", "/%ff%fe", "/%c0%ae%c0%ae/", "/" + "a" * 65536)
    ),
    *(
        ("CVE-2026-48794", ALICE, target, ())
        for target in ("/PHP/PCAP.PHP?id=1", "/Php/pcap.php?id=1", "/php/pcap.PHP?id=1", "/php/pcap.php?ID=1")
    ),
    *(
        ("CVE-2023-33189", ALICE, f"/php/pcap.php?{query}", ())
        for query in (
            *(f"id={MINE}&id={FOREIGN}", f"id={FOREIGN}&id={MINE}", f"id={MINE};id={FOREIGN}", f"id[]={FOREIGN}"),
            *(f"id={MINE}%00", f"id=%20{MINE}", f"id=+{MINE}", f"id={MINE}.9", f"i%64={MINE}&id={FOREIGN}"),
            *(f"id={MINE}&i.d={FOREIGN}", f"id={MINE}&id%00={FOREIGN}", f"id={MINE}&%20id={FOREIGN}"),
        )
    ),
    *(
        ("CVE-2026-9800", who, target, ())
        for who in (ANON, ALICE)
        for target in (
            *("/php/api.php/denied", "/php/pcap.php/authgw/login?id=1", "/php/api.php/../pcap.php?id=1"),
            *("/php/model/sql.php/x.js", "/php/model/sql.php/authgw/healthz", "/index.php/login", "/admin.php/x.css"),
        )
    ),
    *(
        ("CVE-2021-39226", ALICE, f"/{target}", ())
        for target in ("authgw/{id}", "php/{id}.wav", "php/:id.wav", "php/*.wav", "php/0.wav", "php/-1.wav", "php/.wav")
    ),
    *(
        ("CVE-2024-1442", ALICE, f"/php/pcap.php?id={id}", ())
        for id in ("*", "%25", "_", "1,2", "1+or+1=1", "1'--", "null", "01", "1e0", "0x1", "9999999999999999999", "")
    ),
    *(
        ("CVE-2025-66490", ALICE, target, ())
        for target in (
            *("/app%2f..%2fphp/pcap.php?id=1", "/php%2fpcap.php?id=1", "/php/x%5c..%5cpcap.php?id=1", "/phpX/pcap.php"),
            *("/php/pcap.php%2f?id=1", "/php/..%2fadmin.php", "/php/pcap%2ephp%20?id=1", "/php/pcap.php.?id=1"),
            *("/..;/php/pcap.php?id=1", "/php/pcap.php;x=1?id=1", "/../php/pcap.php?id=1", "\\php\\pcap.php?id=1"),
        )
    ),
    *(
        ("CVE-2026-107334", ALICE, target, ())
        for target in ("/%2561dmin.php", "/php/%2570cap.php?id=1", "/php/pcap%252ephp?id=1", "/%c0%afphp/pcap.php?id=1")
    ),
    *(
        ("CVE-2025-3260", who, target, ())
        for who in (ANON, ALICE, "admin")
        for target in (
            *("/php/new.php", "/apis/v2/cdr", "/php/run.php", "/php/wav.php?id=1", "/upgrade.php", "/key.php"),
            *("/config/configuration.php", "/scripts/x.js", "/bin/x.png", "/php/lib/functions_open.php"),
            *("/api/chunkplayer/x.js", "/php/model/sql.php?task=NEW&module=CDR", "/php/api.php?task=user_hash"),
        )
    ),
]


def refused(site: Site, got: Got) -> None:
    """Said no, and nothing of the request reached the GUI."""
    assert got.status in REFUSED, got
    assert b"TRIP" not in got.body
    assert [seen.target for seen in site.wire.seen] == []


@pytest.mark.parametrize(
    ("who", "target", "lines"), [pytest.param(*rest, id=f"{name}-{at}") for at, (name, *rest) in enumerate(ATTACKS)]
)
def test_the_gui_is_not_asked(site: Site, who: str, target: str | bytes, lines: tuple[str, ...]) -> None:
    """Nothing that only looks like an allowed path reaches the GUI."""
    refused(site, site.ask(who, target, *lines))


@pytest.mark.parametrize("host", HOSTS, ids=[f"CVE-2026-48710-{at}" for at in range(len(HOSTS))])
def test_the_host_decides_nothing(site: Site, host: str) -> None:
    """A Host that holds a path of its own opens no other door, neither for nobody nor for a user."""
    for who in (ANON, ALICE):
        refused(site, site.ask(who, PCAP, host=host))


def test_two_hosts_and_none(site: Site) -> None:
    """CVE-2026-48710: no Host, two of them, and another one in the request line."""
    refused(site, site.ask(ALICE, PCAP, host=None))
    refused(site, site.ask(ALICE, PCAP, "Host: gw"))
    refused(site, site.ask(ALICE, f"http://evil.example{PCAP}"))
    refused(site, site.ask(ANON, "http://gw/authgw/@evil/../../admin.php"))


@pytest.mark.parametrize(
    "spelling",
    [
        *(
            "/php/pc%61p.php",
            "/php//pcap.php",
            "//php/pcap.php",
            "/./php/pcap.php",
            "/php/./pcap.php",
            "/x/../php/pcap.php",
        ),
        *("/php/%2e/pcap.php", "/%70%68%70/pcap.php", "///php///pcap.php", "/x/%2e%2e/php/pcap.php"),
    ],
)
def test_every_spelling_is_judged_alike(site: Site, spelling: str) -> None:
    """CVE-2020-24660, CVE-2025-3454, CVE-2021-43557: another spelling of a path is that path, for its owner too."""
    foreign, absent = (site.ask(ALICE, f"{spelling}?id={id}") for id in (FOREIGN, ABSENT))
    assert (foreign.status, foreign.body) == (404, absent.body.replace(b"9", b"2"))
    refused(site, site.ask(ANON, f"{spelling}?id={MINE}"))
    assert site.ask(ALICE, f"{spelling}?id={MINE}").status == 200
    assert [seen.target for seen in site.wire.seen] == [f"/php/pcap.php?id={MINE}"]


def test_our_own_paths_are_never_the_guis(site: Site) -> None:
    """CVE-2026-9800: a path of the gateway's own, oddly spelt, is not asked of the GUI."""
    for target in ("/%61uthgw/static/x.css", "//authgw/x.js", "/x/../authgw/login.js", "/authgw%2flogin"):
        for who in (ALICE, "admin"):
            assert site.ask(who, target).status in {400, 403, 404}, target
    assert site.wire.seen == []


def test_an_untrusted_scheme_changes_nothing(site: Site) -> None:
    """CVE-2026-33495: X-Forwarded-Proto, -Host and -Port of a stranger decide neither cookies nor redirects."""
    lines = ("X-Forwarded-Proto: https", "X-Forwarded-Host: evil", "X-Forwarded-Port: 1", "Accept: text/html")
    plain, forwarded = site.ask(ANON, "/admin.php", "Accept: text/html"), site.ask(ANON, "/admin.php", *lines)
    assert plain.status == forwarded.status == 303
    assert forwarded.header("location") == plain.header("location") == "/authgw/login?next=%2Fadmin.php"


def test_every_call_of_a_batch_is_judged(site: Site) -> None:
    """CVE-2022-24112: one element of somebody else's, or another address in a header, opens nothing in a batch."""
    params = f'[{{"cdrId":{MINE}}},{{"cdrId":{FOREIGN}}}]'
    got = site.ask(
        ALICE,
        "/php/api.php",
        *("X-Real-IP: 127.0.0.1", "Content-Type: application/json"),
        method="POST",
        body=b'{"task":"getPCAP","params":%s}' % params.encode(),
    )
    assert (got.status, got.body) == (404, b'{"success":false,"error":"cdr id 2 does not exist"}')
    assert site.wire.seen == []


def test_random_paths(site: Site) -> None:
    """Whatever path is sent, the GUI is asked for one that the catalogue knows, or not at all."""
    chance = random.Random("paths")
    pieces = [
        b"/",
        b"..",
        b".",
        b"php",
        b"pcap.php",
        b"admin.php",
        b"%2f",
        b"%2e",
        b"%",
        b"\\",
        b"authgw",
        b"x.js",
        b";",
    ]
    pieces += [b"//", b"%00", b"\xc3\xa9", b"%c3%a9", b"~", b"sql.php", b"model", b"%5c", b"1.wav", b"#", b" "]
    for _ in range(150):
        target = b"/" + b"".join(chance.choices(pieces, k=chance.randint(1, 7)))
        site.ask(ALICE, target.replace(b" ", b"%20"))
    for seen in site.wire.seen:
        assert "?" not in seen.target
        assert seen.path in {"/admin.php", "/"} or seen.path.endswith(".js"), seen.target
        assert "//" not in seen.path
        assert "/.." not in seen.path
        assert ".php/" not in seen.path
        assert "authgw/" not in seen.path[:8]


def test_a_listing_by_head(site: Site) -> None:
    """HEAD is judged as GET: nobody gets lengths or headers that way."""
    assert site.ask(ANON, LISTING, method="HEAD").status == 401
    foreign, absent = (site.ask(ALICE, f"/php/pcap.php?id={id}", method="HEAD") for id in (FOREIGN, ABSENT))
    assert foreign.status == absent.status == 404
    assert foreign.body == absent.body == b""
    assert foreign.header("content-length") == absent.header("content-length")
    assert site.wire.seen == []
