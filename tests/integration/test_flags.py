"""Flag by call: with only that flag a call opens, without it it does not, for every call of the shipped policy."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from authgw.catalogue.load import load
from authgw.catalogue.model import Entry
from authgw.rights.claims import Grant, Scope
from authgw.rights.dictionary import IMPLIED_BY_ADMIN, KEYS, Place
from authgw.session.model import Kind
from kit.users import Users, users_of

SQL, API, UTILITIES = "/php/model/sql.php", "/php/api.php", "/php/model/utilities.php"
DAYS = {"fdatefrom": "2026-11-20T00:00:00", "fdateto": "2026-11-25T00:00:00"}
NOT_UNDERSTOOD = 502
# A call with a recording, and one that may be lost.
CALL, VICTIM = "12", 30
# A connected call, as the look-alike names it while it runs; its sensor.
ACTIVE = {"callRef": "", "sensorId": ""}
FLAGS = frozenset(name for name, key in KEYS.items() if key.place is Place.FLAG) - {"is_admin"}
ENTRIES = {entry.name: entry for entry in load(["voipmonitor"], Path()).entries}
NAMING = sorted(
    name for name, entry in ENTRIES.items() if (entry.needs or entry.needs_any or entry.choose) and not entry.refuse
)


@dataclass(frozen=True)
class Sample:
    """A request that its call answers with `status`, and the flags that open it: each of `alone` by itself does."""

    alone: tuple[str, ...]
    path: str
    fields: Mapping[str, Any]
    method: str = "POST"
    status: int = 200
    tag: str = ""
    page: bool = False


def sql(flag: str, task: str, module: str, /, **fields: str) -> Sample:
    status = 200 if task in {"LISTING", "SINGLEROW", "TOTAL", "delete_cdr"} else NOT_UNDERSTOOD
    return Sample((flag,), SQL, {"task": task, "module": module, **fields}, status=status)


def api(flag: str, task: str, **params: Any) -> Sample:
    return Sample((flag,), API, {"task": task, "params": json.dumps(params)})


def share(flag: str, kind: str) -> Sample:
    params = {"type": "share_cdr_show", "type2": None, "subType": kind, "id": [int(CALL)], "emailFields": None}
    return Sample((flag,), UTILITIES, {"task": "shareCdr", "params": json.dumps(params)}, tag=kind)


def history(action: str) -> Sample:
    return Sample(("can_cdr",), "/php/pcap2text.php", {"action": action, "id": CALL, "dns_lookup": "0"})


# What the GUI's sections need, by module. The look-alike changes nothing there: what is let through comes back as its
# own refusal, and the gateway says that it was not understood.
SECTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "registrations": ("can_register", ("register", "register_failed", "register_state")),
    "sip-messages": ("can_sip_msg", ("sip_msg",)),
    "active-calls": ("can_activecalls", ("SPY",)),
    "audit-log": ("can_audit", ("audit_log",)),
    "alerts": ("can_alerts_edit", ("alerts",)),
    "reports": ("can_reports_edit", ("daily_reports",)),
    "capture-rules": ("can_capture_rules", ("filter_ip", "filter_telnum", "filter_domain", "filter_sip_header")),
    "live-sniffer": ("can_livesniffer", ("livepacket", "sensors_live_sniffers")),
    "codebooks": ("can_edit_codebooks", ("cb_ip_groups", "cb_number_groups")),
    "ip-accounting": ("can_ipacc", ("ipacc_custgroups",)),
    "network": ("can_network", ("network_map",)),
    "tracker": ("can_tracker", ("tracker_ip",)),
    "mtr": ("can_mtr", ("mtr",)),
    "charts": ("can_graphs", ("charts",)),
    "dashboards": ("can_dashboard", ("dashboards",)),
    "administration": ("is_admin", ("user_admin", "group_admin", "users_audit")),
}
SAMPLES: dict[str, list[Sample]] = {
    "cdr-listing": [sql("can_cdr", "LISTING", "CDR", **DAYS)],
    "cdr-row": [sql("can_cdr", "SINGLEROW", "CDR", ID=CALL)],
    "cdr-total": [sql("can_cdr", "TOTAL", "CDR", **DAYS)],
    "cdr-stats": [sql("can_cdr", "LISTING", "CDR_stats", **DAYS, group_by="lastSIPresponse")],
    "cdr-delete": [
        sql("can_write_cdr", "delete_cdr", "CDR", params=json.dumps({"typeDelete": "files", "ids": [VICTIM]}))
    ],
    "pcap": [Sample(("can_pcap",), "/php/pcap.php", {"id": CALL}, "GET")],
    "sip-history-data": [history("brief_data")],
    "sip-history": [history("brief")],
    "sip-history-diagram": [history("getMSC")],
    "audio-download": [Sample(("can_download_audio",), "/php/pcap2wav.php", {"id": CALL, "action": "wav"}, "GET")],
    "audio-play": [Sample(("can_play_audio", "can_download_audio"), f"/php/{CALL}.wav", {}, "GET")],
    "api-get-voip-calls": [api("can_cdr", "getVoipCalls", startTime="2026-11-20")],
    "api-list-cdr-ids": [api("can_cdr", "listCdrIds", offset="1", size="5")],
    "api-get-voice-recording": [api("can_download_audio", "getVoiceRecording", cdrId=int(CALL))],
    "api-list-active-calls": [api("can_activecalls", "listActiveCalls")],
    "api-handle-active-call": [api("can_listen_active_call", "handleActiveCall", command="pausecall", **ACTIVE)],
    "api-report-summary": [
        api(
            "can_report_functions", "reportSummary",
            report_name="test summary", datetime_from="2026-11-20", datetime_to="2026-11-25",
        )
    ],
    "api-get-share-url": [api("can_cdr_share_local_public", "getShareURL", cdrId=int(CALL))],
    "api-get-pcap": [api("can_pcap", "getPCAP", cdrId=int(CALL))],
    "share-cdr": [
        share("can_cdr_share_local_public", "self_protected_link"),
        share("can_cdr_share_local_private", "self_login_link"),
        share("can_cdr_share_voipmonitor_org", "share_link"),
    ],
    "messages": [sql("can_messages", "LISTING", "message", fdatefrom="2026-11-20")],
    "sensors-changes": [sql("can_sensors_operations", "save", "sensors", name="x")],
    "message-stats": [sql("can_messages", "LISTING", "message_stats", fdatefrom="2026-11-20")],
    "gui-admin-filter": [
        Sample(("can_cdr",), "/admin.php", {"cdr_filter": '{fcaller:"1001"}'}, "GET", page=True)
    ],
    "gui-active-calls": [
        Sample(("can_activecalls",), "/index.php", {"activecalls": "1", "hidegrid": "1"}, "GET", page=True)
    ],
}  # fmt: skip
for _name, (_flag, _modules) in SECTIONS.items():
    SAMPLES[_name] = [sql(_flag, "LISTING", module) for module in _modules]
    SAMPLES[f"{_name}-changes"] = [sql(_flag, "save", module, name="x") for module in _modules]

CASES = [
    pytest.param(name, sample, id=f"{name} {sample.tag or sample.fields.get('module', '')}".strip())
    for name in NAMING
    for sample in SAMPLES.get(name, ())
]


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Users]:
    with users_of(tmp_path_factory.mktemp("flags")) as found:
        yield found


def ask(users: Users, sample: Sample, *grants: Grant) -> httpx2.Response:
    """The request, as a user with just these grants sends it."""
    kind = Kind.BROWSER if sample.page else Kind.API
    return users.ask(grants, sample.path, filled(users, sample), get=sample.method == "GET", kind=kind)


def filled(users: Users, sample: Sample) -> dict[str, Any]:
    """The fields, with a call that runs just now where one is needed."""
    if '"callRef"' not in sample.fields.get("params", ""):
        return dict(sample.fields)
    watcher = (grant("can_activecalls"),)
    row = users.ask(watcher, API, {"task": "listActiveCalls", "params": "{}"}).json()[0]
    params = {**json.loads(sample.fields["params"]), "callRef": row["callreference"], "sensorId": row["id_sensor"]}
    return {**sample.fields, "params": json.dumps(params)}


def grant(*flags: str, **more: Any) -> Grant:
    return Grant(frozenset(flags), can_audit=2 if "can_audit" in flags else 0, **more)


def test_every_call_that_names_a_flag_is_asked_for_here() -> None:
    """A call of the policy without a sample request here is one whose flag nobody checks."""
    missing = [name for name in NAMING if name not in SAMPLES]
    assert not missing, f"calls without a sample request in SAMPLES: {', '.join(missing)}"
    gone = [name for name in SAMPLES if name not in NAMING]
    assert not gone, f"samples of calls that the policy does not have, or that need no flag: {', '.join(gone)}"
    for name in NAMING:
        entry, stated = ENTRIES[name], {flag for sample in SAMPLES[name] for flag in sample.alone}
        assert stated == {*entry.needs, *entry.needs_any, *(entry.choose.flags.values() if entry.choose else ())}, name
        assert all(lands_on(entry, sample) for sample in SAMPLES[name]), name


def lands_on(entry: Entry, sample: Sample) -> bool:
    hit = load(["voipmonitor"], Path()).match(sample.path, sample.fields)
    return hit is not None and hit[0].name == entry.name


@pytest.mark.parametrize(("name", "sample"), CASES)
def test_only_its_flag_opens_a_call(users: Users, name: str, sample: Sample) -> None:
    """With each flag that is said to open it, alone, the call is carried out; with all others it is refused."""
    for flag in sample.alone:
        opened = ask(users, sample, grant(flag))
        assert opened.status_code == sample.status, (flag, opened.text[:300])
    others = ask(users, sample, grant(*FLAGS - {*sample.alone}))
    assert others.status_code == 403, others.text[:300]
    nobody = ask(users, sample, grant())
    assert nobody.status_code == 403, nobody.text[:300]


@pytest.mark.parametrize(("name", "sample"), CASES)
def test_administrators_open_every_call(users: Users, name: str, sample: Sample) -> None:
    """is_admin implies every flag."""
    answer = ask(users, sample, grant("is_admin", *IMPLIED_BY_ADMIN))
    assert answer.status_code == sample.status, answer.text[:300]


@pytest.mark.parametrize(("name", "sample"), CASES)
def test_what_cannot_be_narrowed_is_closed_to_scoped_users(users: Users, name: str, sample: Sample) -> None:
    """With the flag and a row scope: calls whose reply cannot be narrowed are refused, all others are not."""
    scope = Scope(connected_only=True)
    answer = ask(users, sample, grant(*sample.alone, scope=scope))
    closed = name in UNSCOPED or sample.page
    assert (answer.status_code == 403) == closed, (answer.status_code, answer.text[:300])


# For users without row scope: sums, reports, the GUI's other sections.
UNSCOPED = {
    "cdr-stats",
    "api-report-summary",
    "messages",
    "message-stats",
    "sensors-changes",
    *SECTIONS,
    *(f"{name}-changes" for name in SECTIONS),
}


@pytest.mark.parametrize("path", [entry.path for entry in ENTRIES.values() if entry.refuse == "never"])
def test_some_calls_are_for_nobody(users: Users, path: str) -> None:
    """What is never open is not open to administrators."""
    where = next(entry.where for entry in ENTRIES.values() if entry.path == path and entry.refuse == "never")
    for method in ("GET", "POST"):
        sample = Sample((), path.replace("**", "anything.php"), where, method)
        answer = ask(users, sample, grant("is_admin", *IMPLIED_BY_ADMIN))
        assert answer.status_code == 403, (method, answer.text[:300])


@pytest.mark.parametrize(
    "fields",
    [
        {"task": "LISTING", "module": "users"},
        {"task": "LISTING", "module": "CDRs"},
        {"task": "LISTING", "module": "cdr"},
        {"task": "delete", "module": "CDR"},
        {"task": "LISTING", "module": "system_configuration"},
        {"task": "LISTING"},
        {"module": "CDR"},
    ],
    ids=json.dumps,
)
def test_unknown_calls_are_for_nobody(users: Users, fields: dict[str, str]) -> None:
    """A module or task that the policy does not name is refused to administrators too."""
    answer = ask(users, Sample((), SQL, fields), grant("is_admin", *IMPLIED_BY_ADMIN))
    assert answer.status_code == 403


def test_read_only_dashboards(users: Users) -> None:
    """dashboard_read_only closes the writing calls of dashboards and no others, to administrators too."""
    for flags in (("can_dashboard",), ("is_admin", *IMPLIED_BY_ADMIN)):
        limited = grant(*flags, limits=frozenset({"dashboard_read_only"}))
        assert (ask(users, SAMPLES["dashboards"][0], limited)).status_code == 200
        assert (ask(users, SAMPLES["dashboards-changes"][0], limited)).status_code == 403


@pytest.mark.parametrize("name", [name for name in NAMING if len(ENTRIES[name].needs) == 1 and name in SAMPLES])
def test_a_flag_of_one_grant_opens_no_rows_of_another(users: Users, name: str) -> None:
    """The flag in a grant that sees nothing, the rows in one without it: what cannot be narrowed stays closed, lists
    are empty and objects do not exist."""
    sample = SAMPLES[name][0]
    blind, other = grant(*sample.alone, scope=Scope(sensors=())), grant(*FLAGS - {*sample.alone})
    answer = ask(users, sample, blind, other)
    if name in UNSCOPED - {"cdr-stats"} or sample.page:
        assert answer.status_code == 403
    elif answer.status_code == 200:
        assert no_rows(answer), answer.text[:300]
    else:
        assert answer.status_code == 404, answer.text[:300]


def no_rows(answer: httpx2.Response) -> bool:
    found = answer.json()
    if isinstance(found, list):
        return not found
    return found.get("error") == "no match cdr" or (not found.get("results") and int(found.get("total", 0)) == 0)
