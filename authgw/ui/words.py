"""Rights in the words of people: every flag and limit of the permission dictionary, in every language."""

from __future__ import annotations

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


def of_key(key: str, language: str) -> str:
    """A flag or limit in words; one without words as it is spelt."""
    found = KEYS.get(key)
    return found[_index(language)] if found else key


def of_flags(grant: Grant, language: str) -> list[str]:
    """What a grant opens, one phrase each, in the order of the list above."""
    spelt = [key for key in KEYS if key in grant.flags] + sorted(grant.flags - KEYS.keys())
    return [of_key(key, language) for key in spelt]


def _index(language: str) -> int:
    return LANGUAGES.index(language) if language in LANGUAGES else 0
