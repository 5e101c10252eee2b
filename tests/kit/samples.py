"""A request for every call of the policy that needs a flag, as a user with row scope or without one sends it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from authgw.rights.claims import Grant
from authgw.session.model import Kind
from kit.users import Users

SQL, API, UTILITIES = "/php/model/sql.php", "/php/api.php", "/php/model/utilities.php"
DAYS = {"fdatefrom": "2026-11-20T00:00:00", "fdateto": "2026-11-25T00:00:00"}
NOT_UNDERSTOOD = 502
# A call with a recording, and one that may be lost.
CALL, VICTIM = "12", 30
# A connected call, as the look-alike names it while it runs; its sensor.
ACTIVE = {"callRef": "", "sensorId": ""}


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
