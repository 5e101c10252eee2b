"""Every reason for which a login or a request can be refused. The value is what logs, tests and `explain` show."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    # intake: the bytes cannot be read in exactly one way
    METHOD_NOT_ALLOWED = "method_not_allowed"
    PATH_MALFORMED = "path_malformed"
    PATH_INFO = "path_info"
    QUERY_MALFORMED = "query_malformed"
    HEADER_MALFORMED = "header_malformed"
    HOST_MALFORMED = "host_malformed"
    BODY_MALFORMED = "body_malformed"
    BODY_TYPE = "body_type"
    BODY_TOO_LARGE = "body_too_large"
    JSON_MALFORMED = "json_malformed"
    JSON_TOO_DEEP = "json_too_deep"
    FIELD_NAME = "field_name"
    FIELD_TWICE = "field_twice"
    FIELD_CONTROL = "field_control"
    TOO_MANY_FIELDS = "too_many_fields"
    FILE_UPLOAD = "file_upload"
    COOKIE_MALFORMED = "cookie_malformed"
    TWO_SESSIONS = "two_sessions"

    # session
    NO_SESSION = "no_session"
    STORE_UNAVAILABLE = "store_unavailable"

    # catalogue and policy
    UNKNOWN_CALL = "unknown_call"
    NEVER = "never"
    NOT_BUILT = "not_built"
    MISSING_FLAG = "missing_flag"
    LIMITED = "limited"
    UNSCOPED_ONLY = "unscoped_only"
    PAGES_NOT_SERVED = "pages_not_served"
    PARAM_UNKNOWN = "param_unknown"
    PARAM_TYPE = "param_type"
    PARAM_MISSING = "param_missing"
    PARAM_REFUSED = "param_refused"
    SCAN_TOO_WIDE = "scan_too_wide"
    SCAN_TIMEOUT = "scan_timeout"
    CROSS_SITE = "cross_site"

    # narrow
    NOT_FOUND = "not_found"
    NO_FILE = "no_file"
    REASON_DEMANDED = "reason_demanded"

    # login
    BAD_CREDENTIALS = "bad_credentials"
    EMPTY_CREDENTIALS = "empty_credentials"
    USER_MALFORMED = "user_malformed"
    THROTTLED = "throttled"
    LOCKED_OUT = "locked_out"
    BLOCKED = "blocked"
    PASSWORD_EXPIRED = "password_expired"
    ADDRESS_NOT_ALLOWED = "address_not_allowed"
    SECOND_FACTOR_NEEDED = "second_factor_needed"
    SECOND_FACTOR_WRONG = "second_factor_wrong"
    SECOND_FACTOR_CLOCK = "second_factor_clock"
    SECOND_FACTOR_USED = "second_factor_used"
    RECOVERY_WRONG = "recovery_wrong"
    PASSKEY_REFUSED = "passkey_refused"
    TOO_MANY_FACTORS = "too_many_factors"
    ENROLMENT_NEEDED = "enrolment_needed"
    TOKEN_NEEDED = "token_needed"
    ATTEMPT_OVER = "attempt_over"
    RIGHTS_INVALID = "rights_invalid"
    NOT_ADMITTED = "not_admitted"
    PROVIDER_REFUSED = "provider_refused"
    LOGIN_EXPIRED = "login_expired"
    LOGIN_FAILED = "login_failed"
    LOGIN_BUSY = "login_busy"
    TOKEN_INVALID = "token_invalid"
    TOKEN_EXPIRED = "token_expired"
    TOKEN_RIGHTS_OLD = "token_rights_old"
    TOKEN_NARROW = "token_narrow"
    TWO_CREDENTIALS = "two_credentials"

    # upstream
    UPSTREAM_UNREACHABLE = "upstream_unreachable"
    UPSTREAM_CONNECT_TIMEOUT = "upstream_connect_timeout"
    UPSTREAM_SEND_TIMEOUT = "upstream_send_timeout"
    UPSTREAM_REPLY_TIMEOUT = "upstream_reply_timeout"
    UPSTREAM_IDLE_TIMEOUT = "upstream_idle_timeout"
    UPSTREAM_WHOLE_TIMEOUT = "upstream_whole_timeout"
    UPSTREAM_CUT = "upstream_cut"
    UPSTREAM_MALFORMED = "upstream_malformed"
    UPSTREAM_TOO_LARGE = "upstream_too_large"
    UPSTREAM_LOGIN = "upstream_login"
    UPSTREAM_REDIRECT = "upstream_redirect"
    UPSTREAM_BUSY = "upstream_busy"
    UPSTREAM_STATUS = "upstream_status"
    FACTS_UNAVAILABLE = "facts_unavailable"

    # the gateway itself
    STOPPED = "stopped"
    INTERNAL = "internal"


UPSTREAM_TIMEOUTS = frozenset(
    (
        *(Reason.UPSTREAM_CONNECT_TIMEOUT, Reason.UPSTREAM_SEND_TIMEOUT, Reason.UPSTREAM_REPLY_TIMEOUT),
        *(Reason.UPSTREAM_IDLE_TIMEOUT, Reason.UPSTREAM_WHOLE_TIMEOUT),
    )
)
"""One for each phase of asking the GUI; see `authgw.upstream.client`."""
