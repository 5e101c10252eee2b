"""Content limit by call: what every call of the policy has to do with every limit, and that the limit holds there.

A call that is new in the policy must be put into each table: as one that carries the data, with a check, or as one
that does not, with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from authgw.catalogue.load import load
from authgw.rights.claims import Grant, Scope
from authgw.session.model import Kind
from kit.limited import CALL, CALL_ID, DAYS, RECORDS, capture, link_of, may, share
from kit.samples import SAMPLES, SECTIONS, Sample, ask
from kit.users import Users, users_of
from oracle.site import signalling

ENTRIES = {entry.name: entry for entry in load(["voipmonitor"], Path()).entries}
Check = Callable[[Users, str], None]

# ---------------------------------------------------------------- calls that carry nothing of a call, and why

OWN = {"bypass-login", "logout", "index-logout", "check-session", "user-can-audit", "save-audit"}
NEVER = {name for name, entry in ENTRIES.items() if entry.refuse == "never"}
LICENCE = {"licence-check", "licence-calls-check"}
# Rows of their own, which are no calls; the GUI's tables and settings; files of its surface.
ELSEWHERE = {
    "sensors", "sensors-changes", "messages", "message-stats", "gui-files",
    *(f"{name}{end}" for name in ("registrations", "sip-messages", "audit-log", "capture-rules", "codebooks",
      "ip-accounting", "mtr", "administration") for end in ("", "-changes")),
}  # fmt: skip
# The GUI's empty surface: what it shows it loads by the other calls.
SHELLS = {"gui-admin", "gui-index", "gui-root"}
# They change a call that the user sees, and answer with no more than that it was done.
DEEDS = {"cdr-delete", "api-handle-active-call"}
HISTORY = {"sip-history-data", "sip-history", "sip-history-diagram"}
LISTS = {"cdr-listing", "cdr-row", "api-get-voip-calls", "api-list-cdr-ids"}
TOTALS = {"cdr-total", "cdr-stats"}
AUDIO = {"audio-download", "audio-play", "api-get-voice-recording"}
CAPTURES = {"pcap", "api-get-pcap"}
SHARES = {"api-get-share-url", "share-cdr"}
LINKS = {"share-page", "share-message-page"}
# Sections of the GUI about calls, whose replies nobody can narrow.
ABOUT_CALLS = {
    f"{name}{end}"
    for name in ("active-calls", "alerts", "reports", "live-sniffer", "network", "tracker", "charts", "dashboards")
    for end in ("", "-changes")
}
CLOSED_TO_SCOPED = {
    *SECTIONS,
    *(f"{name}-changes" for name in SECTIONS),
    "messages",
    "message-stats",
    "sensors-changes",
}

# ---------------------------------------------------------------- checks


def samples(name: str) -> list[Sample]:
    more = {
        "licence-check": [Sample((), "/php/apilicensecheck.php", {"task": "licenseCheck"}, "GET")],
        "licence-calls-check": [Sample((), "/php/apilicensecheck.php", {"task": "licenseCallsLimitCheck"}, "GET")],
        "gui-admin": [Sample((), "/admin.php", {}, "GET", page=True)],
        "gui-index": [Sample((), "/index.php", {}, "GET", page=True)],
        "gui-root": [Sample((), "/", {}, "GET", page=True)],
    }
    return SAMPLES.get(name) or more[name]


def limited(limit: str) -> Grant:
    if limit == "show_only_connected_calls":
        return may("", Scope(connected_only=True))[0]
    return may(limit)[0]


def closed(limit: str) -> Check:
    """Refused under the limit, carried out without it."""

    def check(users: Users, name: str) -> None:
        for sample in samples(name):
            assert ask(users, sample, *may()).status_code == sample.status, sample
            answer = ask(users, sample, limited(limit))
            assert answer.status_code == 403, (sample, answer.text[:200])

    return check


def answers(users: Users, name: str, limit: str) -> Iterator[tuple[httpx2.Response, httpx2.Response]]:
    """Each sample's answer without the limit, and under it."""
    for sample in samples(name):
        yield ask(users, sample, *may()), ask(users, sample, limited(limit))


# What rows under simple_cdr do not tell of a call.
HIDDEN = [
    str(RECORDS[CALL][column])
    for column in ("fbasename", "a_ua", "b_ua", "sipcallerip", "sipcalledip", "caller_domain", "called_domain")
]


def reduced(users: Users, name: str) -> None:
    """Without the limit the answer tells something of it, under the limit nothing."""
    for whole, less in answers(users, name, "simple_cdr"):
        assert less.status_code == 200, less.text[:200]
        assert less.json(), "there are rows"
        assert not any(value in less.text for value in HIDDEN), less.text[:300]
        if name != "api-list-cdr-ids":
            assert any(value in whole.text for value in HIDDEN), whole.text[:300]


def without_quality(users: Users, name: str) -> None:
    for whole, less in answers(users, name, "simple_cdr"):
        assert ("mos_" in whole.text, "mos_" in less.text) == (name == "cdr-stats", False)
        assert less.status_code == 200


def unnamed(users: Users, name: str) -> None:
    """The sound is theirs to hear; the name of the file does not tell the Call-ID."""
    for _, less in answers(users, name, "simple_cdr"):
        assert less.status_code == 200
        assert not any(value in str(less.headers) for value in HIDDEN)


def no_rtp(users: Users, name: str) -> None:
    for whole, less in answers(users, name, "no_rtp"):
        assert (whole.content, less.content) == (capture(CALL), signalling(capture(CALL)))


def link_closed(limit: str) -> Check:
    """Somebody else's link for users, with all that a link can show, is closed under the limit."""

    def check(users: Users, name: str) -> None:
        link = link_of(share(users, may(), [CALL], "self_login_link", "rtp"))
        link = link if name == "share-page" else link.replace("/cdr.php", "/message.php")
        for more in ("", f"&pcap={CALL}", f"&audio={CALL}"):
            answer = users.http.get(link + more, headers={"cookie": users.cookie((limited(limit),))})
            assert answer.status_code == (403 if name == "share-page" else 404), answer.text[:200]

    return check


def link_of_unconnected(users: Users, name: str) -> None:
    """A link for users to a call that was not connected."""
    link = link_of(share(users, may(), [UNCONNECTED], "self_login_link", None))
    link = link if name == "share-page" else link.replace("/cdr.php", "/message.php")
    who = (limited("show_only_connected_calls"),)
    assert users.http.get(link, headers={"cookie": users.cookie(who)}).status_code == 404


UNCONNECTED = next(id for id in sorted(RECORDS) if RECORDS[id]["connect_duration"] is None)


def only_connected(users: Users, name: str) -> None:
    """Lists: fewer rows, and none of the calls that were not connected."""
    never = {str(id) for id, record in RECORDS.items() if record["connect_duration"] is None}
    for sample in samples(name):
        fields = {"limit": "1000"} if name == "cdr-listing" else {}
        fields |= {"ID": str(UNCONNECTED)} if name == "cdr-row" else {}
        asked = Sample(sample.alone, sample.path, {**sample.fields, **fields}, sample.method)
        whole, less = ask(users, asked, *may()).json(), ask(users, asked, limited("show_only_connected_calls")).json()
        if name == "cdr-total":
            assert int(less["total"]) == int(whole["total"]) - len(never)
            continue
        rows = less["results"] if isinstance(less, dict) else less
        assert not {str(row.get("ID", row.get("cdrId"))) for row in rows} & never
        assert all(row.get("connect_duration", 1) is not None for row in rows)


def gone(users: Users, name: str) -> None:
    """Objects: the call that was not connected is one that does not exist."""
    for sample in samples(name):
        path = sample.path.replace(f"/{CALL}.wav", f"/{UNCONNECTED}.wav")
        text = json.dumps(dict(sample.fields)).replace(f'"{CALL}"', f'"{UNCONNECTED}"')
        fields = json.loads(text)
        for old in (f'"cdrId": {CALL}', f'"id": [{CALL}]', '"ids": [30]'):
            fields = {key: value.replace(old, old.split(":")[0] + f": {_like(old)}") for key, value in fields.items()}
        answer = ask(users, Sample((), path, fields, sample.method), limited("show_only_connected_calls"))
        assert answer.status_code == 404, (path, fields, answer.text[:200])
        assert answer.json()["error"] == f"cdr id {UNCONNECTED} does not exist"


def _like(old: str) -> str:
    return f"[{UNCONNECTED}]" if "[" in old else str(UNCONNECTED)


def unconnected_does_not_run(users: Users, name: str) -> None:
    """Only connected calls run here: the call is found, and nothing else is."""
    (sample,) = samples(name)
    assert ask(users, sample, limited("show_only_connected_calls")).status_code == 200
    nobody = {**sample.fields, "params": '{"command":"pausecall","callRef":"0x1","sensorId":"2"}'}
    answer = users.ask((limited("show_only_connected_calls"),), sample.path, nobody)
    assert answer.status_code == 404


def no_grouping(users: Users, name: str) -> None:
    """LISTING and TOTAL take no field that groups."""
    (sample,) = samples(name)
    for field in ("group_by", "group", "groupBy"):
        asked = Sample((), sample.path, {**sample.fields, field: "caller"})
        assert ask(users, asked, limited("hide_cdr_groups")).status_code == 400


def no_grouped_page(users: Users, name: str) -> None:
    for field in ("group_by", "group"):
        asked = Sample((), "/admin.php", {"cdr_filter": json.dumps({field: "caller"})}, "GET", page=True)
        assert ask(users, asked, limited("hide_cdr_groups")).status_code == 400


# Filters under simple_cdr: those by what it shows. Every other parameter of LISTING is refused.
ALLOWED = {
    "task", "module", "suppress_results", "fdatefrom", "fdateto", "fcaller", "fcalled", "fcallerd_type",
    "fcallerd_domain_type", "fsipcallerdip_type", "fab_saddr_type", "fab_ua_type", "fdurationgt", "fdurationlt",
    "fsipresponse", "fsensor_id", "page", "start", "limit", "orderByCallDuration_asc", "orderByCallDuration_desc",
    "orderBySrcNumber_asc", "orderBySrcNumber_desc", "orderByDstNumber_asc", "orderByDstNumber_desc",
    "orderByLastSIPrespNum_asc", "orderByLastSIPrespNum_desc", "simple", "disableRtp", "dir", "clientTimezone",
    "clientOsTimezone", "deferTotal", "timestampId", "check_active_request", "timeout", "_dc", "sort",
    "caller_group_id", "called_group_id",
}  # fmt: skip
EXAMPLES = {"fsipcallerip": "127.0.0.1", "fsipcalledip": "127.0.0.1", "fa_saddr": "127.0.0.1", "fb_saddr": "127.0.0.1",
            "fbye": "true", "ftrunk": "true"}  # fmt: skip


def no_hidden_filters(users: Users, name: str) -> None:
    for parameter in sorted(ENTRIES["cdr-listing"].params.keys() - ALLOWED):
        filter = {parameter: EXAMPLES.get(parameter, "1")}
        if name == "gui-admin-filter":
            fields = {"cdr_filter": json.dumps(filter)}
            answer = users.ask((limited("simple_cdr"),), "/admin.php", fields, get=True, kind=Kind.BROWSER)
        else:
            (sample,) = samples(name)
            answer = users.ask((limited("simple_cdr"),), sample.path, {**sample.fields, **filter})
        assert answer.status_code == 403, (parameter, answer.text[:200])
        assert CALL_ID not in answer.text


def both(*checks: Check) -> Check:
    def check(users: Users, name: str) -> None:
        for one in checks:
            one(users, name)

    return check


def each(names: set[str], check: Check) -> dict[str, Check]:
    return dict.fromkeys(names, check)


# ---------------------------------------------------------------- the table

CARRYING: dict[str, dict[str, Check]] = {
    "no_rtp": {
        **each(CAPTURES, no_rtp),
        **each(AUDIO, closed("no_rtp")),
        **each({"live-sniffer", "live-sniffer-changes", "active-calls-changes"}, closed("no_rtp")),
        **each(LINKS, link_closed("no_rtp")),
        "share-cdr": lambda users, name: _with_rtp(users),
        "api-get-share-url": lambda users, name: _with_rtp(users),
    },
    "simple_cdr": {
        **each(LISTS, reduced),
        "api-list-active-calls": reduced,
        "cdr-listing": both(reduced, no_hidden_filters),
        **each(TOTALS, both(without_quality, no_hidden_filters)),
        "gui-admin-filter": no_hidden_filters,
        **each(HISTORY | CAPTURES | SHARES | ABOUT_CALLS, closed("simple_cdr")),
        **each({"api-report-summary", "gui-active-calls"}, closed("simple_cdr")),
        **each(AUDIO, unnamed),
        **each(LINKS, link_closed("simple_cdr")),
    },
    "show_only_connected_calls": {
        **each(LISTS | {"cdr-total", "api-list-active-calls"}, only_connected),
        **each(HISTORY | CAPTURES | AUDIO | SHARES | {"cdr-delete"}, gone),
        "api-handle-active-call": unconnected_does_not_run,
        **each(CLOSED_TO_SCOPED | {"cdr-stats", "api-report-summary"}, closed("show_only_connected_calls")),
        **each(SHELLS | {"gui-admin-filter", "gui-active-calls"}, closed("show_only_connected_calls")),
        **each(LINKS, link_of_unconnected),
    },
    "hide_cdr_groups": {
        **each({"cdr-stats", "api-report-summary"}, closed("hide_cdr_groups")),
        **each({"cdr-listing", "cdr-total"}, no_grouping),
        "gui-admin-filter": no_grouped_page,
    },
    "hide_license_information": each(LICENCE, closed("hide_license_information")),
}
PAGES = SHELLS | {"gui-admin-filter", "gui-active-calls"}
ROWS = LISTS | {"api-list-active-calls"}
# Why the others carry nothing that the limit is about.
NOT_CARRYING: dict[str, list[set[str]]] = {
    "no_rtp": [OWN, NEVER, LICENCE, ELSEWHERE, DEEDS, PAGES, HISTORY, ROWS, TOTALS, {"api-report-summary"},
               ABOUT_CALLS - {"live-sniffer", "live-sniffer-changes", "active-calls-changes"}],
    "simple_cdr": [OWN, NEVER, LICENCE, ELSEWHERE, DEEDS, SHELLS],
    "show_only_connected_calls": [OWN, NEVER, LICENCE, ELSEWHERE - CLOSED_TO_SCOPED],
    # Their own flags open what these sections count.
    "hide_cdr_groups": [OWN, NEVER, LICENCE, ELSEWHERE, DEEDS, HISTORY, CAPTURES, AUDIO, SHARES, LINKS, ABOUT_CALLS,
                        ROWS - {"cdr-listing"}, SHELLS, {"gui-active-calls"}],
    "hide_license_information": [OWN, NEVER, ELSEWHERE, DEEDS, HISTORY, CAPTURES, AUDIO, SHARES, LINKS, ABOUT_CALLS,
                                 ROWS, TOTALS, PAGES, {"api-report-summary"}],
}  # fmt: skip
CASES = [pytest.param(limit, name, id=f"{limit} {name}") for limit, calls in CARRYING.items() for name in sorted(calls)]


def _with_rtp(users: Users) -> None:
    for kind in ("self_protected_link", "self_login_link", "share_link"):
        assert share(users, may("no_rtp"), [CALL], kind, "rtp").status_code == 403
    fields = {"task": "getShareURL", "params": json.dumps({"cdrId": CALL, "rtp": True})}
    assert users.ask(may("no_rtp"), "/php/api.php", fields).status_code == 403


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Users]:
    with users_of(tmp_path_factory.mktemp("paths")) as found:
        yield found


@pytest.mark.parametrize("limit", sorted(CARRYING))
def test_every_call_is_in_the_table_of_every_limit(limit: str) -> None:
    """Once: as one that carries what the limit is about, or as one that does not."""
    told = [*CARRYING[limit], *(name for names in NOT_CARRYING[limit] for name in names)]
    assert sorted(told) == sorted(ENTRIES)


@pytest.mark.parametrize(("limit", "name"), CASES)
def test_the_limit_holds_there(users: Users, limit: str, name: str) -> None:
    """By the check that the table names."""
    CARRYING[limit][name](users, name)


def test_a_grant_without_the_limit_lifts_it_from_the_calls_that_it_shows(users: Users) -> None:
    """simple_cdr of one grant closes nothing that another grant opens for the calls of its own scope."""
    mine, other = Scope(sensors=(RECORDS[CALL]["id_sensor"],)), Scope(sensors=(5,))
    for shows, status in ((mine, 200), (other, 404)):
        who = (*may("simple_cdr"), *may("", shows))
        for name in sorted(HISTORY | CAPTURES | SHARES):
            for sample in samples(name):
                answer = ask(users, sample, *who)
                assert answer.status_code == status, (name, answer.text[:200])
    link = link_of(share(users, may(), [CALL], "self_login_link", None))
    for shows, status in ((mine, 200), (other, 403)):
        cookie = users.cookie((*may("simple_cdr"), *may("", shows)))
        assert users.http.get(link, headers={"cookie": cookie}).status_code == status


def test_active_calls_are_reduced_grant_by_grant(users: Users) -> None:
    """Calls under way that a grant without simple_cdr shows come whole, the others reduced."""
    who = (*may("simple_cdr"), *may("", Scope(sensors=(5,))))
    rows = users.ask(who, "/php/api.php", {"task": "listActiveCalls", "params": "{}"}).json()
    assert {row["id_sensor"] == 5 for row in rows} == {True, False}
    assert all(("callerip" in row) == (row["id_sensor"] == 5) for row in rows)


def test_the_days_of_these_tests_are_the_records(users: Users) -> None:
    """The samples ask for days in which the call was made."""
    assert DAYS["fdatefrom"] < str(RECORDS[CALL]["calldate"]).replace(" ", "T") < DAYS["fdateto"]
