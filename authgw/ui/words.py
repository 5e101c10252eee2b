"""Rights in the words of people: every flag and limit of the permission dictionary, in every language."""

from __future__ import annotations

from typing import Any

from authgw.rights.claims import Grant
from authgw.ui.texts import LANGUAGES

KEYS: dict[str, tuple[str, str]] = {
    "is_admin": ("everything (administrator)", "vše (správce)"),
    "can_cdr": ("see calls", "zobrazit hovory"),
    "can_write_cdr": ("delete calls", "mazat hovory"),
    "can_play_audio": ("play audio", "přehrávat zvuk"),
    "can_download_audio": ("download audio", "stahovat zvuk"),
    "can_listen_active_call": ("listen to active calls", "poslouchat probíhající hovory"),
    "can_activecalls": ("see active calls", "zobrazit probíhající hovory"),
    "can_pcap": ("download captures (PCAP)", "stahovat záznamy paketů (PCAP)"),
    "can_upload_pcap": ("upload captures (PCAP)", "nahrávat záznamy paketů (PCAP)"),
    "can_show_fax": ("see faxes", "zobrazit faxy"),
    "can_messages": ("see messages", "zobrazit zprávy"),
    "can_view_content_message": ("read the text of messages", "číst text zpráv"),
    "can_view_message_url": ("see links in messages", "zobrazit odkazy ve zprávách"),
    "can_register": ("see registrations", "zobrazit registrace"),
    "can_sip_msg": ("see OPTIONS, SUBSCRIBE and NOTIFY", "zobrazit OPTIONS, SUBSCRIBE a NOTIFY"),
    "can_graphs": ("see charts", "zobrazit grafy"),
    "can_dashboard": ("use dashboards", "používat nástěnky"),
    "dashboard_read_only": ("dashboards for reading only", "nástěnky jen ke čtení"),
    "can_3d_rtp_charts": ("see 3D RTP charts", "zobrazit 3D grafy RTP"),
    "can_svg_paint": ("draw charts as SVG", "kreslit grafy jako SVG"),
    "can_network": ("see the network map", "zobrazit mapu sítě"),
    "can_tracker": ("use the tracker", "používat tracker"),
    "can_mtr": ("use MTR", "používat MTR"),
    "can_ipacc": ("see IP accounting", "zobrazit účtování IP"),
    "can_livesniffer": ("use the live sniffer", "používat živý sniffer"),
    "can_capture_rules": ("edit capture rules", "upravovat pravidla zachytávání"),
    "can_audit": ("see the audit log", "zobrazit auditní záznam"),
    "can_alerts_edit": ("edit alerts", "upravovat upozornění"),
    "can_alerts_show_sent": ("see sent alerts", "zobrazit odeslaná upozornění"),
    "can_reports_edit": ("edit reports", "upravovat sestavy"),
    "can_reports_show_sent": ("see sent reports", "zobrazit odeslané sestavy"),
    "can_report_functions": ("run report summaries", "spouštět souhrnné sestavy"),
    "can_cdr_share_local_public": ("share calls by public link", "sdílet hovory veřejným odkazem"),
    "can_cdr_share_local_private": ("share calls by a link with login", "sdílet hovory odkazem s přihlášením"),
    "can_cdr_share_voipmonitor_org": ("share calls on voipmonitor.org", "sdílet hovory na voipmonitor.org"),
    "can_show_sql_query": ("see SQL queries", "zobrazit dotazy SQL"),
    "can_sensors_operations": ("manage sensors", "spravovat sondy"),
    "can_edit_codebooks": ("edit groups and codebooks", "upravovat skupiny a číselníky"),
    "can_edit_all_templates": ("edit all templates", "upravovat všechny šablony"),
    "can_delete_all_templates": ("delete all templates", "mazat všechny šablony"),
    "no_rtp": ("no audio and no RTP", "bez zvuku a RTP"),
    "simple_cdr": ("reduced call rows", "zkrácené řádky hovorů"),
    "hide_cdr_groups": ("no grouped statistics", "bez seskupených statistik"),
    "hide_license_information": ("no licence information", "bez údajů o licenci"),
    "hide_change_password": ("no change of password", "bez změny hesla"),
    "hide_user_configuration": ("no settings page", "bez stránky nastavení"),
}
_SCOPE: dict[str, tuple[str, str]] = {
    "all": ("all calls", "všechny hovory"),
    "sensors": ("calls from sensors {}", "hovory ze sond {}"),
    "no_sensor": ("calls from no sensor at all", "hovory z žádné sondy"),
    "number": ("numbers {}", "čísla {}"),
    "ip": ("addresses {}", "adresy {}"),
    "domain": ("domains {}", "domény {}"),
    "vlan": ("VLANs {}", "VLAN {}"),
    "headers": ("SIP headers {}", "hlavičky SIP {}"),
    "connected": ("connected calls only", "jen spojené hovory"),
    "any": ("any one of number, address and domain", "stačí jedno z čísla, adresy a domény"),
}
_SHOWN = 20


def of_key(key: str, language: str) -> str:
    """A flag or limit in words; one without words as it is spelt."""
    found = KEYS.get(key)
    return found[_index(language)] if found else key


def of_grant(grant: Grant, language: str) -> dict[str, Any]:
    """What a grant opens, what limits it and which calls it covers: three lists of short phrases."""
    spelt = [key for key in KEYS if key in grant.flags] + sorted(grant.flags - KEYS.keys())
    return {
        "may": [of_key(key, language) for key in spelt],
        "limits": [of_key(key, language) for key in sorted(grant.limits)],
        "calls": of_scope(grant, language),
        "label": grant.label,
    }


def of_scope(grant: Grant, language: str) -> list[str]:
    """Which calls a grant covers; every phrase narrows further."""
    scope, i, said = grant.scope, _index(language), []
    if scope.sensors is not None:
        said.append(_SCOPE["sensors" if scope.sensors else "no_sensor"][i].format(_listed(scope.sensors)))
    for name, values in (("number", scope.number), ("ip", scope.ip), ("domain", scope.domain), ("vlan", scope.vlan)):
        if values:
            said.append(_SCOPE[name][i].format(_listed(values)))
    if scope.headers_cdr:
        said.append(_SCOPE["headers"][i].format(_listed(f"{line.name}: {line.pattern}" for line in scope.headers_cdr)))
    if scope.any_dimension:
        said.append(_SCOPE["any"][i])
    if scope.connected_only:
        said.append(_SCOPE["connected"][i])
    return said or [_SCOPE["all"][i]]


def _listed(values: Any) -> str:
    every = [str(value) for value in values]
    return ", ".join(every[:_SHOWN]) + (f", … ({len(every)})" if len(every) > _SHOWN else "")


def _index(language: str) -> int:
    return LANGUAGES.index(language) if language in LANGUAGES else 0
