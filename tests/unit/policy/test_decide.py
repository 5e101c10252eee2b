"""The one decision: each condition closes a call that all others leave open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from authgw.catalogue.load import load
from authgw.intake.request import Body, Request
from authgw.policy import fields as typed
from authgw.policy.decide import Case, Rules, conditions, decide
from authgw.policy.decision import Allow, Decision, Deny
from authgw.reasons import Reason
from authgw.rights.claims import Claims, Grant, Scope
from authgw.session.model import Kind

CATALOGUE = load(["voipmonitor"], Path())
LISTING = {"task": "LISTING", "module": "CDR", "fdatefrom": "2026-11-23T00:00:00"}
SQL = "/php/model/sql.php"
SCOPED = Scope(sensors=(2,))


def grant(*flags: str, limits: tuple[str, ...] = (), scope: Scope = SCOPED) -> Grant:
    return Grant(flags=frozenset(flags), limits=frozenset(limits), scope=scope)


def ask(
    path: str,
    fields: dict[str, Any],
    *grants: Grant,
    method: str = "POST",
    kind: Kind | None = Kind.BROWSER,
    body: Body = Body.FORM,
    headers: dict[str, str] | None = None,
    rules: Rules = Rules(origin="https://gw"),
) -> Decision:
    hit = CATALOGUE.match(path, fields)
    assert hit is not None, "the catalogue lacks this call"
    entry, named = hit
    request = Request(method, False, path, fields, body, headers or {}, {}, "127.0.0.1")
    case = Case(entry, request, typed.read(entry, named), Claims("static", "u", 1, grants), kind, rules)
    decision = decide(case)
    held = all(condition.held for condition in conditions(case))
    assert held is isinstance(decision, Allow), "explain and decide disagree"
    return decision


def refused(decision: Decision) -> Reason | None:
    return decision.reason if isinstance(decision, Deny) else None


def test_listing_is_open_with_its_flag_and_only_so() -> None:
    """can_cdr opens LISTING; every other flag, and none, leave it closed."""
    assert refused(ask(SQL, LISTING, grant("can_cdr"))) is None
    assert refused(ask(SQL, LISTING, grant("can_pcap", "can_write_cdr"))) is Reason.MISSING_FLAG
    assert refused(ask(SQL, LISTING)) is Reason.MISSING_FLAG


def test_grants_are_never_flattened() -> None:
    """Only the grants that have the flag carry the call; another's scope and limits are not borrowed."""
    decision = ask(SQL, LISTING, grant("can_pcap", scope=Scope()), grant("can_cdr", limits=("no_rtp",)))
    assert isinstance(decision, Allow)
    assert (decision.grants, decision.unscoped, set(decision.limits)) == ((1,), False, {"no_rtp"})
    both = ask(SQL, LISTING, grant("can_cdr", limits=("no_rtp",)), grant("can_cdr"))
    assert isinstance(both, Allow)
    assert both.limits == frozenset()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"fdatefrom": ""}, Reason.PARAM_MISSING),
        ({"fdatefrom": "yesterday"}, Reason.PARAM_TYPE),
        ({"fdatefrom": "2026-13-01"}, Reason.PARAM_TYPE),
        ({"group_by": "caller"}, Reason.PARAM_UNKNOWN),
        ({"suppress_results": "2"}, Reason.PARAM_TYPE),
        ({"fsensor_id": "12,13a"}, Reason.PARAM_TYPE),
        ({"fsensor_id": "-3"}, Reason.PARAM_TYPE),
        ({"fsipcallerip": "10.0.0.1 OR 1=1"}, Reason.PARAM_TYPE),
        ({"fsipresponse": "12abc"}, Reason.PARAM_TYPE),
        ({"limit": "5001"}, Reason.PARAM_TYPE),
        ({"limit": "1e3"}, Reason.PARAM_TYPE),
        ({"start": "-1"}, Reason.PARAM_TYPE),
        ({"sort": '[{"property":"password","direction":"ASC"}]'}, Reason.PARAM_TYPE),
        ({"sort": '[{"property":"caller","direction":"ASC;--"}]'}, Reason.PARAM_TYPE),
        ({"sort": '{"property":"caller"}'}, Reason.PARAM_TYPE),
        ({"ffilterTemplate": "7"}, Reason.PARAM_REFUSED),
        ({"caller_group_id": "7"}, Reason.PARAM_REFUSED),
    ],
)
def test_fields_of_listing(change: dict[str, str], reason: Reason) -> None:
    """A field that is unknown, of another type, missing, or hides what it selects, closes the call."""
    assert refused(ask(SQL, {**LISTING, **change}, grant("can_cdr"))) is reason


@pytest.mark.parametrize("change", [{"limit": "9999"}, {"ffilterTemplate": "7"}])
def test_users_without_scope_may_more(change: dict[str, str]) -> None:
    """What would betray others' calls is open to those who see every call."""
    assert refused(ask(SQL, {**LISTING, **change}, grant("can_cdr", scope=Scope()))) is None


@pytest.mark.parametrize(
    "change",
    [
        {"fcaller_domain": "a"},
        {"fsipcallerip": "10.0.0.1"},
        {"fcallid": "x"},
        {"orderByLoss": "1"},
        {"sort": '[{"property":"a_ua","direction":"ASC"}]'},
    ],
)
def test_nobody_asks_for_what_he_is_not_shown(change: dict[str, str]) -> None:
    """Under simple_cdr, filters and orders by hidden columns are refused; a grant that shows them opens them."""
    strict = grant("can_cdr", limits=("simple_cdr",))
    assert refused(ask(SQL, {**LISTING, **change}, strict)) is Reason.LIMITED
    both = ask(SQL, {**LISTING, **change}, strict, grant("can_cdr"))
    assert isinstance(both, Allow)
    assert both.grants == (1,)
    assert refused(ask(SQL, {**LISTING, "fcaller": "1", "orderByLoss": "0"}, strict)) is None


@pytest.mark.parametrize("text", ["0", "-1", "+12", " 12", "12abc", "12.9", "1e1", "012", "", "1" * 20, "１２", "1,2"])
@pytest.mark.parametrize(
    ("path", "name", "more"),
    [
        ("/php/pcap.php", "id", {}),
        ("/php/pcap2text.php", "id", {"action": "brief"}),
        (SQL, "ID", {"task": "SINGLEROW", "module": "CDR"}),
        ("/php/pcap2wav.php", "id", {}),
    ],
)
def test_ids_are_digits(path: str, name: str, more: dict[str, str], text: str) -> None:
    """What PHP would read as some number, but is not written as one, is no id."""
    flags = grant("can_cdr", "can_pcap", "can_download_audio")
    assert refused(ask(path, {**more, name: text}, flags)) in {Reason.PARAM_TYPE, Reason.PARAM_MISSING}


@pytest.mark.parametrize("name", ["prepare", "register", "search", "uniquekey", "msg", "ss7", "sip_msg", "zip"])
def test_two_step_and_foreign_id_forms_are_closed(name: str) -> None:
    """Fields that change what `id` means are refused."""
    everything = grant("can_pcap", "can_cdr", scope=Scope())
    assert refused(ask("/php/pcap.php", {"id": "1", name: "1"}, everything)) is Reason.PARAM_UNKNOWN
    history = {"id": "1", "action": "brief_data", name: "1"}
    assert refused(ask("/php/pcap2text.php", history, everything)) is Reason.PARAM_UNKNOWN


def api(task: str, params: Any, *grants: Grant) -> Decision:
    return ask("/php/api.php", {"task": task, "params": params}, *grants, kind=None, body=Body.JSON)


def test_batches_are_judged_one_by_one() -> None:
    """One element that is not right refuses the whole call."""
    good = {"startTime": "2026-11-23", "caller": "1", "X-Tenant": "acme"}
    assert refused(api("getVoipCalls", [good, good], grant("can_cdr"))) is None
    for bad in ({"caller": "1"}, {**good, "cdrId": "1x"}, {**good, "a b": "1"}, {**good, "X": {"y": 1}}, "text", None):
        assert refused(api("getVoipCalls", [good, bad], grant("can_cdr"))) is not None
    broken: list[Any] = [[], {}, "", "[]", "{", '{"startTime":"2026-11-23","startTime":"2026-11-23"}']
    for bad in broken:
        assert refused(api("getVoipCalls", bad, grant("can_cdr"))) is not None


@pytest.mark.parametrize(
    ("element", "reason"),
    [
        ({"offset": 1, "size": 10}, None),
        ({"offset": "1", "size": "5000"}, None),
        ({"offset": 1, "size": 5001}, Reason.PARAM_TYPE),
        ({"offset": 1, "size": 0}, Reason.PARAM_TYPE),
        ({"offset": -1, "size": 5}, Reason.PARAM_TYPE),
        ({"offset": 1.5, "size": 5}, Reason.PARAM_TYPE),
        ({"size": 5}, Reason.PARAM_MISSING),
    ],
)
def test_walks_are_bounded(element: dict[str, Any], reason: Reason | None) -> None:
    """listCdrIds needs both numbers, and the size is bounded."""
    assert refused(api("listCdrIds", element, grant("can_cdr"))) is reason


def test_limits_close_calls() -> None:
    """no_rtp closes audio, hide_license_information the licence checks; another grant may open them."""
    audio = {"id": "5", "action": "wav"}
    strict = grant("can_download_audio", limits=("no_rtp",))
    assert refused(ask("/php/pcap2wav.php", audio, strict)) is Reason.LIMITED
    assert refused(ask("/php/pcap2wav.php", audio, strict, grant("can_download_audio"))) is None
    licence = {"task": "licenseCheck"}
    hidden = grant(limits=("hide_license_information",))
    assert refused(ask("/php/apilicensecheck.php", licence, hidden)) is Reason.LIMITED
    assert refused(ask("/php/apilicensecheck.php", licence, grant())) is None


def test_pages_need_a_browser_and_no_scope() -> None:
    """API sessions never open pages; users with row scope do so only where the operator said pages carry no data."""
    scoped, whole = grant("can_cdr"), grant("can_cdr", scope=Scope())
    for path in ("/admin.php", "/index.php", "/"):
        assert refused(ask(path, {}, whole, method="GET", kind=Kind.API)) is Reason.NO_SESSION
        assert refused(ask(path, {}, scoped, method="GET")) is Reason.PAGES_NOT_SERVED
        assert refused(ask(path, {}, whole, method="GET")) is None
        assert refused(ask(path, {}, scoped, method="GET", rules=Rules(pages="all"))) is None
        assert refused(ask(path, {}, whole, method="POST")) is Reason.METHOD_NOT_ALLOWED


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{fcallid:"a@b"}', None),
        ('{"fcaller":"1"}', None),
        ('{fgroup:"a"}', Reason.PARAM_TYPE),
        ('{ffilterTemplate:"1"}', Reason.PARAM_REFUSED),
        ("{fcallid:", Reason.JSON_MALFORMED),
    ],
)
def test_filters_in_links_are_judged_like_listing(text: str, reason: Reason | None) -> None:
    """The loose JSON of cdr_filter knows LISTING's fields and no others."""
    decision = ask("/admin.php", {"cdr_filter": text}, grant("can_cdr"), method="GET", rules=Rules(pages="all"))
    assert refused(decision) is reason


@pytest.mark.parametrize(
    ("method", "headers", "open_"),
    [
        ("POST", {"sec_fetch_site": "same-origin"}, True),
        ("POST", {"origin": "https://gw"}, True),
        ("POST", {"sec_fetch_site": "same-origin", "origin": "https://gw"}, True),
        ("POST", {"sec_fetch_site": "same-site"}, False),
        ("POST", {"sec_fetch_site": "none"}, False),
        ("POST", {"origin": "https://evil"}, False),
        ("POST", {"sec_fetch_site": "cross-site", "origin": "https://gw"}, False),
        ("POST", {}, False),
        ("GET", {"sec_fetch_site": "same-origin"}, False),
    ],
)
def test_changes_come_from_our_own_pages(method: str, headers: dict[str, str], open_: bool) -> None:
    """With the browser's cookie, a state-changing call needs POST and our own origin; API clients need neither."""
    entry = next(entry for entry in CATALOGUE.entries if entry.name == "pcap").model_copy(update={"changes": True})
    request = Request(method, False, "/php/pcap.php", {"id": "1"}, Body.NONE, headers, {}, "127.0.0.1")
    claims = Claims("static", "u", 1, (grant("can_pcap"),))
    case = Case(entry, request, typed.read(entry, request.fields), claims, Kind.BROWSER, Rules(origin="https://gw"))
    assert (refused(decide(case)) is None) is open_
    assert refused(decide(msgspec.structs.replace(case, kind=Kind.API))) is None


def test_what_is_never_open_is_never_open() -> None:
    """Not for an administrator either."""
    admin = grant("is_admin", "can_cdr", scope=Scope())
    for path in ("/php/run.php", "/upgrade.php", "/config/x", "/php/lib/functions_open.php"):
        assert refused(ask(path, {}, admin)) is Reason.NEVER
    assert refused(ask(SQL, {"module": "relogin"}, admin)) is Reason.NEVER


@pytest.mark.parametrize(
    ("scopes", "open_"),
    [
        ((Scope(),), True),
        ((Scope(sensors=(2,)),), True),
        ((Scope(sensors=(2,)), Scope(sensors=())), True),
        ((Scope(sensors=(2,), number=("1",)),), False),
        ((Scope(number=("1",)),), False),
        ((Scope(sensors=(2,), connected_only=True),), False),
        ((Scope(sensors=(2,)), Scope(ip=("10.0.0.0/8",))), False),
        ((Scope(ip=("10.0.0.0/8",)), Scope()), True),
    ],
)
def test_sums_need_sensors_for_a_whole_scope(scopes: tuple[Scope, ...], open_: bool) -> None:
    """Sums over calls are for users without scope, and for those whose grants are narrowed by sensors alone."""
    fields = {**LISTING, "module": "CDR_stats", "group_by": "lastSIPresponse"}
    decision = ask(SQL, fields, *(grant("can_cdr", scope=scope) for scope in scopes))
    assert refused(decision) is (None if open_ else Reason.UNSCOPED_ONLY)


def test_rules_that_must_expire_cannot_be_checked() -> None:
    """Who may only make capture rules that expire makes none: how a rule says so is not known. Reading stays open."""
    bound = Grant(flags=frozenset({"can_capture_rules"}), remove_expire_hours=24)
    free = Grant(flags=frozenset({"can_capture_rules"}))
    change = {"module": "filter_ip", "task": "save"}
    same = {"sec_fetch_site": "same-origin"}
    assert refused(ask(SQL, change, bound, headers=same)) is Reason.LIMITED
    assert refused(ask(SQL, change, free, headers=same)) is None
    assert refused(ask(SQL, {**change, "task": "LISTING"}, bound)) is None
