"""no_rtp, hide_cdr_groups and hide_license_information, on every way to the data that they are about."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from authgw.rights.claims import Grant, Scope
from kit.limited import (
    CALL,
    CALL_ID,
    DAYS,
    HEADER,
    RECORDS,
    SCOPES,
    SQL,
    TWICE,
    api,
    capture,
    link_of,
    may,
    members,
    recording,
    share,
)
from kit.users import Users, users_of
from oracle.site import signalling


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Users]:
    with users_of(tmp_path_factory.mktemp("limits")) as found:
        yield found


# ---------------------------------------------------------------- no_rtp


@pytest.fixture(params=sorted(SCOPES))
def silent(request: pytest.FixtureRequest) -> tuple[Grant, ...]:
    """Somebody under no_rtp, with and without row scope; he sees the call."""
    return may("no_rtp", SCOPES[request.param])


def test_the_limits_tests_are_about_something() -> None:
    """The records' capture has RTP, and taking it off leaves something."""
    assert 24 < len(signalling(capture(CALL))) < len(capture(CALL))
    assert len({RECORDS[call]["callid"] for call in TWICE}) == 1


@pytest.mark.parametrize(
    "asked",
    [{}, {"disable_rtp": "0"}, {"disable_rtp": ""}, {"disable_rtp": "1"}],
    ids=["plain", "wants it", "empty", "without"],
)
@pytest.mark.parametrize("get", [True, False], ids=["GET", "POST"])
def test_captures_by_id_have_no_rtp(users: Users, silent: tuple[Grant, ...], asked: dict[str, str], get: bool) -> None:
    """pcap.php under no_rtp is without RTP, whatever the client says about it."""
    answer = users.ask(silent, "/php/pcap.php", {"id": str(CALL), **asked}, get=get)
    assert (answer.status_code, answer.content) == (200, signalling(capture(CALL)))


@pytest.mark.parametrize(
    "selector",
    [{"cdrId": CALL}, {"cdrId": str(CALL)}, {"callId": CALL_ID}, {"callId": CALL_ID, "cidInterval": 60}, HEADER],
    ids=["id", "text", "Call-ID", "interval", "header"],
)
def test_captures_by_selector_have_no_rtp(users: Users, silent: tuple[Grant, ...], selector: dict[str, Any]) -> None:
    """getPCAP under no_rtp, plain, merged, zipped and in a batch."""
    bare = signalling(capture(CALL))
    assert api(users, silent, "getPCAP", selector).content == bare
    assert api(users, silent, "getPCAP", {**selector, "cidMerge": True}).content == bare
    assert members(api(users, silent, "getPCAP", {**selector, "zip": True}).content) == [bare]
    both = api(users, silent, "getPCAP", [{**selector, "zip": True}, {"cdrId": CALL}])
    assert members(both.content) == [bare]


def test_captures_of_several_legs_have_no_rtp(users: Users) -> None:
    """Merged and zipped legs are without RTP, each of them."""
    who, params = may("no_rtp"), {"callId": RECORDS[TWICE[0]]["callid"], "cidInterval": 60}
    merged = api(users, who, "getPCAP", {**params, "cidMerge": True}).content
    assert signalling(merged) == merged
    assert len(merged) == 24 + sum(len(signalling(capture(call))) - 24 for call in TWICE)
    zipped = members(api(users, who, "getPCAP", {**params, "zip": True}).content)
    assert sorted(zipped) == sorted(signalling(capture(call)) for call in TWICE)


@pytest.mark.parametrize("more", [{}, {"ogg": True}, {"zip": True}, {"saveaudio_afterconnect": True}], ids=str)
@pytest.mark.parametrize("selector", [{"cdrId": CALL}, {"callId": CALL_ID}, HEADER], ids=["id", "Call-ID", "header"])
def test_recordings_are_closed_under_no_rtp(
    users: Users, silent: tuple[Grant, ...], selector: dict[str, Any], more: dict[str, Any]
) -> None:
    """getVoiceRecording is refused, by every selector and in every form."""
    assert api(users, silent, "getVoiceRecording", {**selector, **more}).status_code == 403


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/php/pcap2wav.php", {"id": str(CALL), "action": "wav"}),
        ("/php/pcap2wav.php", {"id": str(CALL), "action": "ogg"}),
        ("/php/pcap2wav.php", {"id": str(CALL)}),
        (f"/php/{CALL}.wav", {}),
    ],
)
def test_audio_is_closed_under_no_rtp(
    users: Users, silent: tuple[Grant, ...], path: str, fields: dict[str, str]
) -> None:
    """Neither the player's call nor the download gives audio; without the limit both do."""
    assert users.ask(silent, path, fields, get=True).status_code == 403
    assert users.ask(may(), path, fields, get=True).status_code == 200


def test_shares_under_no_rtp(users: Users, silent: tuple[Grant, ...]) -> None:
    """Links with RTP are refused by either call; a link without opens captures without RTP and no audio."""
    for kind in ("self_protected_link", "self_login_link", "share_link"):
        assert share(users, silent, [CALL], kind, "rtp").status_code == 403
    for rtp in (True, 1, "1", "true"):
        assert api(users, silent, "getShareURL", {"cdrId": CALL, "rtp": rtp}).status_code == 403
    batch = [{"cdrId": CALL}, {"cdrId": CALL, "rtp": True}]
    assert api(users, silent, "getShareURL", batch).status_code == 403
    links = [
        link_of(api(users, silent, "getShareURL", {"cdrId": CALL})),
        link_of(api(users, silent, "getShareURL", {"cdrId": CALL, "rtp": False})),
        link_of(share(users, silent, [CALL], "self_protected_link", None)),
    ]
    for link in links:
        assert users.http.get(f"{link}&pcap={CALL}").content == signalling(capture(CALL))
        assert recording(CALL) not in users.http.get(f"{link}&audio={CALL}").content
        assert "audio=" not in users.http.get(link).text


def test_links_with_rtp_do_not_open_it_under_no_rtp(users: Users) -> None:
    """Somebody else's link for users, with RTP, gives who is under no_rtp neither RTP nor audio."""
    link = link_of(share(users, may(), [CALL], "self_login_link", "rtp"))
    assert users.ask(may(), f"{link}&pcap={CALL}", {}, get=False).status_code != 200
    headers = {"cookie": users.cookie(may())}
    assert users.http.get(f"{link}&pcap={CALL}", headers=headers).content == capture(CALL)
    for name in ("pcap", "audio"):
        answer = users.http.get(f"{link}&{name}={CALL}", headers={"cookie": users.cookie(may("no_rtp"))})
        assert answer.content not in (capture(CALL), recording(CALL)), name


# ---------------------------------------------------------------- hide_cdr_groups, hide_license_information


@pytest.mark.parametrize(
    "scope", [Scope(), Scope(sensors=(2, 3)), Scope(domain=("acme%",))], ids=["all", "sensors", "domain"]
)
def test_grouped_statistics_are_hidden(users: Users, scope: Scope) -> None:
    """Under hide_cdr_groups no grouping of calls comes through, by either name, on either module, by GET or POST."""
    who = may("hide_cdr_groups", scope)
    for get in (True, False):
        for more in ({}, {"group_by": "caller"}, {"group": "caller"}, {"suppress_results": "1"}):
            fields = {"task": "LISTING", "module": "CDR_stats", **DAYS, **more}
            assert users.ask(who, SQL, fields, get=get).status_code == 403
        for name in ("group_by", "group", "groupBy"):
            fields = {"task": "LISTING", "module": "CDR", **DAYS, name: "caller"}
            assert users.ask(who, SQL, fields, get=get).status_code in (400, 403)
        assert users.ask(who, SQL, {"task": "LISTING", "module": "CDR", **DAYS}, get=get).status_code == 200


@pytest.mark.parametrize("task", ["licenseCheck", "licenseCallsLimitCheck"])
@pytest.mark.parametrize("get", [True, False], ids=["GET", "POST"])
def test_the_licence_is_hidden(users: Users, task: str, get: bool) -> None:
    """Under hide_license_information both checks are refused, to administrators too."""
    path = "/php/apilicensecheck.php"
    assert users.ask(may("hide_license_information"), path, {"task": task}, get=get).status_code == 403
    answer = users.ask(may(), path, {"task": task}, get=get)
    assert answer.status_code == 200
    assert answer.json().keys() >= {"status", "message"}
