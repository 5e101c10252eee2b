"""Every key of the permission dictionary, declared once: how it is read, where it goes, who may set it.

The keys are those that the Web API description lists for `custom_login`, and `id`, which it requires.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """How a value is spelt. A null is an absent key whatever the kind."""

    ID = "a positive whole number"
    GROUP = "the number of a group template"
    FLAG = "a flag"
    AUDIT = "0, 1 or 2"
    HOURS = "a number of hours"
    ATTEMPTS = "a whole number from 1 to 100"
    DAYS = "a whole number from 1 to 365"
    TEXT = "text"
    NOTE = "text of several lines"
    SECRET = "base32 text"
    SENSORS = "a list of sensor numbers"
    NETWORKS = "a list of [!]IP[/N]"
    PATTERNS = "a list of [!]patterns"
    VLANS = "a list of vlan numbers"
    HEADERS = "a list of header lines"
    LOGIN_NETWORKS = "a list of IP[/N]"
    PREFERENCE = "text, a number or a flag"


class Place(StrEnum):
    """What a key becomes."""

    IDENTITY = "identity"
    GATE = "gate"
    SCOPE = "scope"
    FLAG = "flag"
    LIMIT = "limit"
    PREFERENCE = "preference"


class Key(msgspec.Struct, frozen=True):
    """`from_group`: a group template may state it, and then wins. `by_admin`: `is_admin` implies it."""

    name: str
    kind: Kind
    place: Place
    from_group: bool = True
    by_admin: bool = False


def _keys(names: str, kind: Kind, place: Place, *, from_group: bool = True, by_admin: bool = False) -> list[Key]:
    return [Key(name, kind, place, from_group, by_admin) for name in names.split()]


_DECLARED: list[Key] = [
    *_keys("id", Kind.ID, Place.IDENTITY, from_group=False),
    *_keys("id_group", Kind.GROUP, Place.IDENTITY, from_group=False),
    *_keys("username name group_name", Kind.TEXT, Place.IDENTITY, from_group=False),
    *_keys("note", Kind.NOTE, Place.IDENTITY, from_group=False),
    *_keys("blocked password_expired req_2fa", Kind.FLAG, Place.GATE, from_group=False),
    *_keys("blocked_reason", Kind.NOTE, Place.GATE, from_group=False),
    *_keys("secret", Kind.SECRET, Place.GATE, from_group=False),
    *_keys("group_blocked", Kind.FLAG, Place.GATE),
    *_keys("password_expiration_days", Kind.DAYS, Place.GATE),
    *_keys("enable_login_ip", Kind.LOGIN_NETWORKS, Place.GATE),
    *_keys("max_bad_login_attempt", Kind.ATTEMPTS, Place.GATE),
    *_keys("enable_sensors", Kind.SENSORS, Place.SCOPE, from_group=False),
    *_keys("ip", Kind.NETWORKS, Place.SCOPE),
    *_keys("number domain", Kind.PATTERNS, Place.SCOPE),
    *_keys("vlan", Kind.VLANS, Place.SCOPE),
    *_keys("custom_headers_cdr custom_headers_message", Kind.HEADERS, Place.SCOPE),
    *_keys("ip_number_domain_or show_only_connected_calls", Kind.FLAG, Place.SCOPE),
    *_keys("is_admin", Kind.FLAG, Place.FLAG),
    *_keys(
        """
        can_cdr can_write_cdr can_play_audio can_download_audio can_listen_active_call can_activecalls can_pcap
        can_upload_pcap can_show_fax can_messages can_view_content_message can_view_message_url can_register
        can_sip_msg can_graphs can_dashboard can_3d_rtp_charts can_svg_paint can_network can_tracker can_mtr can_ipacc
        can_livesniffer can_capture_rules can_alerts_edit can_alerts_show_sent can_reports_edit can_reports_show_sent
        can_report_functions can_cdr_share_local_public can_cdr_share_local_private can_cdr_share_voipmonitor_org
        can_show_sql_query can_sensors_operations can_edit_codebooks can_edit_all_templates can_delete_all_templates
        """,
        Kind.FLAG,
        Place.FLAG,
        by_admin=True,
    ),
    *_keys("can_audit", Kind.AUDIT, Place.FLAG, by_admin=True),
    *_keys("crules_remove_expire_time", Kind.HOURS, Place.LIMIT),
    *_keys(
        """
        dashboard_read_only no_rtp simple_cdr hide_cdr_groups hide_license_information hide_change_password
        hide_user_configuration
        """,
        Kind.FLAG,
        Place.LIMIT,
    ),
    *_keys(
        """
        uc_color_theme_shift_h uc_color_theme_shift_s uc_color_theme_shift_v uc_color_theme_shift uc_font_main_menu
        uc_disable_confirm_before_unload uc_enable_dns_cdr uc_enable_dns_message uc_enable_flags_cdr_number
        uc_enable_flags_cdr_ip uc_enable_flags_message_number uc_enable_flags_message_ip uc_csv_field_separator
        count_audit_log
        """,
        Kind.PREFERENCE,
        Place.PREFERENCE,
    ),
]

KEYS: dict[str, Key] = {key.name: key for key in _DECLARED}

IMPLIED_BY_ADMIN: frozenset[str] = frozenset(key.name for key in _DECLARED if key.by_admin)
