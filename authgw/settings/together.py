"""What single settings cannot tell: the login chain with its tables, and settings that disagree with each other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from authgw.errors import Problem
from authgw.settings.database import is_bare
from authgw.settings.facts import Facts
from authgw.settings.messages import located
from authgw.settings.models import Database, Gateway, LoginInstance
from authgw.settings.sessions import Sessions
from authgw.settings.table import Table
from authgw.settings.upstream import Upstream
from authgw.settings.values import is_loopback, texts

_OWN_KEYS = ("plugin", "on_failure", "sufficient")
_NAME = re.compile(r"[a-z0-9]+([_-][a-z0-9]+)*")


def instances(
    login: Mapping[str, Any], source: str, origin: Mapping[tuple[str, ...], str], problems: list[Problem]
) -> dict[str, Any]:
    """The [login] table with its [login.NAME] tables read into `instances`, in the order of the chain."""
    tables: dict[str, Mapping[str, Any]] = {}
    for name, table in login.items():
        if isinstance(table, dict):
            tables[name] = table
        elif name not in ("chain", "folder"):
            advice = f"is not a setting; write [login.{name}] if it names a login instance, or take it out"
            problems.append(Problem(source, f"login.{name}", advice))
    stated = {"folder": login["folder"]} if isinstance(login.get("folder"), str) else {}
    if "chain" not in login:
        return stated
    try:
        chain = texts(login["chain"])
    except ValueError:
        return {**stated, "chain": login["chain"]}
    for name in tables.keys() - set(chain):
        advice = f'is not in the chain; add "{name}" to login.chain, or take this table out'
        problems.append(Problem(source, f"login.{name}", advice))
    found = [_instance(name, tables.get(name, {}), source, origin, problems) for name in chain]
    return {**stated, "chain": chain, "instances": tuple(one for one in found if one is not None)}


def _instance(
    name: str, table: Mapping[str, Any], source: str, origin: Mapping[tuple[str, ...], str], problems: list[Problem]
) -> LoginInstance | None:
    if _NAME.fullmatch(name) is None or len(name) > 40:
        advice = 'is no instance name; write lower-case letters and digits, with single "_" or "-" between them'
        problems.append(Problem(source, "login.chain", f"{name!r} {advice}"))
        return None
    own = {key: table[key] for key in _OWN_KEYS if key in table}
    options = {key: value for key, value in table.items() if key not in _OWN_KEYS}
    try:
        return LoginInstance.model_validate({"plugin": name, **own, "name": name, "options": options})
    except ValidationError as error:
        problems.extend(located(error, ("login", name), source, origin))
        return None


def disagreements(found: Mapping[str, Table], source: str) -> list[Problem]:
    """Problems between settings that are well written each."""
    problems: list[Problem] = []
    gateway, upstream, sessions = found.get("gateway"), found.get("upstream"), found.get("sessions")
    if isinstance(gateway, Gateway):
        host = urlsplit(gateway.public_url).hostname or ""
        if not gateway.secure and not is_loopback(host):
            advice = f"is http, which only this machine itself may use; write https://{host}"
            problems.append(Problem(source, "gateway.public_url", advice))
    if isinstance(upstream, Upstream):
        problems += _service(upstream, source)
        if isinstance(gateway, Gateway) and gateway.base_path != upstream.base_path:
            here, there = gateway.base_path or "/", upstream.base_path or "/"
            advice = f"has the path {here}, but upstream.url has {there}; give both the same path"
            problems.append(Problem(source, "gateway.public_url", advice))
    several = isinstance(gateway, Gateway) and gateway.workers > 1
    if several and isinstance(sessions, Sessions) and sessions.store == "memory://":
        advice = "is more than one, but sessions.store = memory:// is inside one process; name a redis:// store"
        problems.append(Problem(source, "gateway.workers", advice))
    if isinstance(sessions, Sessions) and sessions.idle > sessions.absolute:
        advice = "is longer than sessions.absolute, so it would never be felt; make it shorter"
        problems.append(Problem(source, "sessions.idle", advice))
    if isinstance(sessions, Sessions) and 0 < sessions.remember <= sessions.absolute:
        advice = (
            'is not longer than sessions.absolute, so nobody would be kept signed in; make it longer, or write "off"'
        )
        problems.append(Problem(source, "sessions.remember", advice))
    if isinstance(sessions, Sessions) and sessions.refresh >= sessions.unconfirmed:
        advice = "is not longer than sessions.refresh, so one missed answer would end sessions; make it longer"
        problems.append(Problem(source, "sessions.unconfirmed", advice))
    return problems


def _service(upstream: Upstream, source: str) -> list[Problem]:
    problems: list[Problem] = []
    if upstream.identity == "service":
        if upstream.username is None:
            advice = 'is required for identity "service"; name the service account'
            problems.append(Problem(source, "upstream.username", advice))
        if upstream.password is None and upstream.password_file is None:
            advice = 'is required for identity "service"; name a file that holds the password in one line'
            problems.append(Problem(source, "upstream.password_file", advice))
        elif upstream.password is not None and not upstream.password.get_secret_value().strip():
            problems.append(Problem(source, "upstream.password", "is empty; set AUTHGW_UPSTREAM__PASSWORD or unset it"))
    if upstream.key_file is not None and upstream.certificate_file is None:
        problems.append(Problem(source, "upstream.key_file", "belongs to certificate_file; name that too"))
    numbers = list(upstream.sensors.items())
    for number, database_id in numbers:
        if number > 2**31 - 1 or not 1 <= database_id <= 2**31 - 1:
            advice = "must be a sensor number = a database id of 1 or more; write for example 2 = 12"
            problems.append(Problem(source, f"upstream.sensors.{number}", advice))
        elif any(other != number and same == database_id for other, same in numbers):
            advice = f"database id {database_id} is given to two sensors; give each its own"
            problems.append(Problem(source, f"upstream.sensors.{number}", advice))
    return problems


def oddities(found: Mapping[str, Table], source: str) -> list[Problem]:
    """Warnings: settings that work but are hardly meant."""
    warnings: list[Problem] = []
    upstream = found["upstream"]
    if isinstance(upstream, Upstream) and upstream.identity == "none" and (upstream.username or upstream.password):
        advice = 'is not used under identity "none"; take username and password out, or write identity = "service"'
        warnings.append(Problem(source, "upstream.username", advice))
    if isinstance(upstream, Upstream) and not upstream.url.startswith("https://"):
        advice = "is for an https upstream, but upstream.url is http; write https:// there, or take this out"
        given = [name for name in ("ca_file", "certificate_file") if getattr(upstream, name) is not None]
        warnings += [Problem(source, f"upstream.{name}", advice) for name in given]
    database = found["database"]
    if isinstance(database, Database) and is_bare(database.url):
        advice = "goes over a network without verified TLS; add ?ssl_ca=FILE, or for PostgreSQL ?sslmode=verify-full"
        warnings.append(Problem(source, "database.url", advice))
    facts = found["facts"]
    if isinstance(facts, Facts) and facts.url is not None and is_bare(facts.url):
        advice = "goes over a network without verified TLS; add ?ssl_ca=FILE"
        warnings.append(Problem(source, "facts.url", advice))
    return warnings
