"""From a file, the environment and secret files to checked settings, with every mistake located."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError

from authgw.errors import ConfigError, Problem
from authgw.settings import database as databases
from authgw.settings.environment import overlay
from authgw.settings.facts import Facts
from authgw.settings.messages import located
from authgw.settings.models import REQUIRED, SECTIONS, Database, Gateway, Settings
from authgw.settings.secret import exposed, read_secret
from authgw.settings.table import Table
from authgw.settings.together import disagreements, instances, oddities
from authgw.settings.upstream import Upstream


def load(path: Path, environ: Mapping[str, str]) -> Settings:
    """Read `path` (TOML), put AUTHGW_SECTION__KEY of `environ` over it, read the secret files it names.

    Raises `ConfigError` with every problem there is.
    """
    source, file = str(path), path.absolute()
    problems: list[Problem] = []
    document = _toml(file, source)
    from_environment = overlay(document, environ, problems)
    problems.extend(_not_in_the_file(document, from_environment, source))
    tables = _tables(document, source, problems)
    if "login" in tables:
        tables["login"] = instances(tables["login"], source, from_environment, problems)
    found: dict[str, Table] = {}
    for name, table in tables.items():
        try:
            found[name] = SECTIONS[name].model_validate(table, context={"folder": file.parent})
        except ValidationError as error:
            problems.extend(located(error, (name,), source, from_environment))
    warnings = _secrets(found, file, source, from_environment, problems)
    problems.extend(disagreements(found, source))
    if problems:
        raise ConfigError(problems)
    sections: dict[str, Any] = dict(found)
    return Settings(file=file, warnings=tuple(warnings + oddities(found, source)), **sections)


def _toml(file: Path, source: str) -> dict[str, Any]:
    """The document, or a `ConfigError`: without it nothing else can be said."""
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        reason = f"cannot be read ({error.strerror or error}); name an existing file that the gateway may read"
        raise ConfigError([Problem(source, "", reason)]) from None
    except UnicodeDecodeError as error:
        raise ConfigError([Problem(source, f"byte {error.start}", "is not UTF-8; save the file as UTF-8")]) from None
    except tomllib.TOMLDecodeError as error:
        message, _, place = str(error).rpartition(" (at ")
        where = re.sub(r", column (\d+)\)$", r", column \1", place) if message else ""
        reason = f"is not TOML: {message or error}; correct this line first"
        raise ConfigError([Problem(source, where.rstrip(")"), reason)]) from None


def _not_in_the_file(document: Mapping[str, Any], origin: Mapping[tuple[str, ...], str], source: str) -> list[Problem]:
    upstream = document.get("upstream")
    if isinstance(upstream, dict) and "password" in upstream and ("upstream", "password") not in origin:
        del upstream["password"]
        advice = "a password does not belong here; put it into a file of its own and name that by password_file"
        return [Problem(source, "upstream.password", advice)]
    return []


def _tables(document: Mapping[str, Any], source: str, problems: list[Problem]) -> dict[str, dict[str, Any]]:
    """Every section as a table, absent optional ones empty; what is no section, no table or missing is a problem."""
    tables: dict[str, dict[str, Any]] = {}
    for name, table in document.items():
        if name not in SECTIONS:
            known = ", ".join(f"[{section}]" for section in SECTIONS)
            problems.append(Problem(source, name, f"is not a section; take it out, or use one of {known}"))
        elif not isinstance(table, dict):
            problems.append(Problem(source, name, f"must be a table; write [{name}] and its settings below it"))
        else:
            tables[name] = table
    for name in SECTIONS:
        if name not in document:
            if name in REQUIRED:
                problems.append(Problem(source, name, f"is required; add a [{name}] table"))
            else:
                tables[name] = {}
    return tables


def _secrets(
    found: dict[str, Table],
    file: Path,
    source: str,
    origin: Mapping[tuple[str, ...], str],
    problems: list[Problem],
) -> list[Problem]:
    """Put the upstream password in its place; warnings where a secret can be read by others."""
    warnings: list[Problem] = []
    upstream, gateway = found.get("upstream"), found.get("gateway")
    if isinstance(upstream, Upstream) and upstream.password is None and upstream.password_file is not None:
        password = read_secret(upstream.password_file)
        if isinstance(password, str):
            problems.append(Problem(source, "upstream.password_file", password))
        else:
            warnings += exposed(upstream.password_file, source, "upstream.password_file")
            found["upstream"] = upstream.model_copy(update={"password": SecretStr(password.decode())})
    if isinstance(gateway, Gateway) and os.path.lexists(gateway.key_file):
        warnings += exposed(gateway.key_file, source, "gateway.key_file")
    if "@" in getattr(found.get("sessions"), "store", ""):
        warnings += exposed(file, source, "sessions.store")
    for name, read in (("database", databases.url), ("facts", databases.facts_url)):
        given = found.get(name)
        if isinstance(given, Database | Facts):
            warnings += _url(name, given, partial(read, folder=file.parent), found, source, problems)
            if "@" in (given.url or "") and (name, "url") not in origin:
                warnings += exposed(file, source, f"{name}.url")
    return warnings


def _url(
    name: str,
    given: Database | Facts,
    read: Callable[[str], str],
    found: dict[str, Table],
    source: str,
    problems: list[Problem],
) -> list[Problem]:
    """A database's URL from its file, if it has one of its own."""
    where = f"{name}.url_file"
    if given.url_file is None:
        return []
    if "url" in given.model_fields_set:
        problems.append(Problem(source, where, f"is given beside {name}.url; take one of them out"))
        return []
    text = read_secret(given.url_file)
    if isinstance(text, bytes):
        try:
            url = read(text.decode())
        except ValueError as error:
            text = f"{given.url_file}: {error}"
        else:
            found[name] = given.model_copy(update={"url": url})
            return exposed(given.url_file, source, where)
    problems.append(Problem(source, where, text))
    return []
