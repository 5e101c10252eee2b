"""Settings that choose between ways to work: what each accepts, and what this version does not have."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pydantic import ValidationInfo

from authgw.settings.database import facts_url
from authgw.settings.database import url as database_url
from authgw.settings.values import duration, split

_NOT_YET = "is not available in this version"


def identity(value: Any) -> Any:
    if value == "handoff":
        raise ValueError(f'"handoff" {_NOT_YET}; write "service" or "none"')
    return value


def cookie_name(value: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", value) is None:
        raise ValueError('is not a cookie name; write letters, digits, "-" and "_" only')
    return value


def store(value: str) -> str:
    scheme = value.partition("://")[0]
    if scheme in ("redis+sentinel", "redis+cluster"):
        raise ValueError(f'"{scheme}://" {_NOT_YET}; write "redis://" or "rediss://" with one server')
    if value == "memory://":
        return value
    parts = split(value) if scheme in ("redis", "rediss") else None
    if parts is None or not parts.hostname or re.fullmatch(r"(/\d*)?", parts.path) is None or "#" in value:
        raise ValueError('must be "memory://", or "redis://host:6379/0", or the same with "rediss://" for TLS')
    return value


def database(value: str, info: ValidationInfo) -> str:
    return database_url(value, (info.context or {}).get("folder", Path()))


def facts(value: str, info: ValidationInfo) -> str:
    return facts_url(value, (info.context or {}).get("folder", Path()))


def header_place(value: str) -> str:
    if re.fullmatch(r"cdr_next(_[0-9]{1,3})?\.[A-Za-z0-9_-]{1,64}", value) is None:
        raise ValueError('must name a table and a column; write for example "cdr_next_1.custom_header_3"')
    return value


def outage(value: str) -> str:
    if value == "closed":
        return value
    word, _, length = value.partition(":")
    if word != "grace":
        raise ValueError('must be "closed" or "grace:" with a duration, for example "grace:60s"')
    duration(length)
    return value
