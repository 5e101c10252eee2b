"""The registry: from the configured chain to open plugins, every mistake on the way located."""

from __future__ import annotations

import contextlib
import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, ValidationError

from authgw.contract import Listed, Login
from authgw.errors import ConfigError, Problem
from authgw.login import folder as plugin_folder
from authgw.login.chain import Instance
from authgw.login.rights import Rights
from authgw.rights.parse import Parsed

GROUP = "authgw.login"
log = logging.getLogger("authgw.login")


class Configured(Protocol):
    """One instance as the settings give it."""

    @property
    def name(self) -> str: ...
    @property
    def plugin(self) -> str: ...
    @property
    def options(self) -> Mapping[str, Any]: ...
    @property
    def on_failure(self) -> str: ...
    @property
    def sufficient(self) -> bool: ...


def installed() -> dict[str, list[EntryPoint]]:
    """Login plugins by name, wherever they were installed from."""
    found: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=GROUP):
        if point.value not in [known.value for known in found.get(point.name, [])]:
            found.setdefault(point.name, []).append(point)
    return found


def preload(configured: Iterable[Configured]) -> None:
    """Import those of the chain's plugins that come with the gateway, for processes that are forked afterwards.

    Others may begin something as they are imported, which does not survive a fork. What fails, `build` reports.
    """
    known = installed()
    for one in configured:
        for point in known.get(one.plugin, ()):
            if point.module.startswith("authgw_plugins."):
                with contextlib.suppress(Exception):
                    point.load()


def build(
    configured: Iterable[Configured], *, folder: Path, source: str, own: Path | None = None
) -> tuple[tuple[Instance, ...], list[Problem]]:
    """The chain's plugins, constructed and not yet opened, without those that cannot be; and what is wrong with them:
    every unknown plugin and every wrong option, as `source: login.NAME.OPTION: …`.

    `folder`: what relative paths are relative to. `own`: the operator's folder of plugins, none of whose names may be
    an installed one. ConfigError: it cannot be used.
    """
    known, files = installed(), {} if own is None else plugin_folder.found(own)
    problems: list[Problem] = [
        Problem(str(files[name]), "", f'"{name}" is an installed plugin; give the file another name')
        for name in sorted(known.keys() & files.keys())
    ]
    instances: list[Instance] = []
    for one in configured:
        where = f"login.{one.name}"
        plugin = _class(known, files, one, source, problems)
        if plugin is None:
            continue
        try:
            config = plugin.Config.model_validate(dict(one.options))
        except ValidationError as error:
            problems += _located(error, source, where, plugin.Config.model_fields)
            continue
        digest = hashlib.sha256(repr((one.plugin, sorted(one.options.items()))).encode()).hexdigest()
        instances.append(
            Instance(one.name, plugin(_resolved(config, folder)), one.on_failure, bool(one.sufficient), digest)
        )
    return tuple(instances), problems


async def open_all(instances: Sequence[Instance], rights: Rights | None, *, source: str) -> tuple[str, ...]:
    """Open every plugin and check the rights of the users they list, if they can be read; the warnings about those.

    ConfigError: every problem of every plugin; those that did open are closed again.
    """
    problems: list[Problem] = []
    warnings: list[str] = []
    opened: list[Instance] = []
    for instance in instances:
        try:
            await instance.plugin.open()
        except ConfigError as error:
            problems += [_placed(problem, instance, source) for problem in error.problems]
            # What it could read of its users is checked all the same: every mistake is told at once.
            _check_rights(instance.plugin, rights, problems)
        except Exception as error:
            log.debug("login %s did not open", instance.name, exc_info=True)
            problems.append(Problem(source, f"login.{instance.name}", f"{type(error).__name__}: {error}"))
        else:
            opened.append(instance)
            warnings += _check_rights(instance.plugin, rights, problems)
    if problems:
        await close_all(opened)
        raise ConfigError(problems)
    return tuple(warnings)


async def close_all(instances: Iterable[Instance]) -> None:
    """Close every plugin, whatever the others do."""
    for instance in instances:
        try:
            await instance.plugin.close()
        except Exception:
            log.exception("login %s could not be closed", instance.name)


def _class(
    known: Mapping[str, list[EntryPoint]],
    files: Mapping[str, Path],
    one: Configured,
    source: str,
    problems: list[Problem],
) -> type[Login] | None:
    where = f"login.{one.name}.plugin"
    points, file = known.get(one.plugin, []), files.get(one.plugin)
    if len(points) != 1 and (points or file is None):
        names = ", ".join(sorted([*known, *files]))
        several = f'"{one.plugin}" is installed more than once: ' + ", ".join(point.value for point in points)
        absent = f'there is no login plugin "{one.plugin}"; installed are: {names}'
        problems.append(Problem(source, where, several if points else absent))
        return None
    try:
        plugin: type[Login] = plugin_folder.load(file) if file is not None and not points else points[0].load()
    except Exception as error:
        problems.append(Problem(source, where, f'"{one.plugin}" cannot be loaded: {type(error).__name__}: {error}'))
        return None
    return plugin


def _located(error: ValidationError, source: str, where: str, known: Iterable[str]) -> list[Problem]:
    """One line for each mistake. `known`: the options there are. Values are left out: an option may be a secret."""
    problems = []
    for each in error.errors(include_input=False, include_url=False, include_context=False):
        place = ".".join([where, *(str(part) for part in each["loc"])])
        said = each["msg"].removeprefix("Value error, ").replace("Input should be", "must be", 1)
        near = get_close_matches(str(each["loc"][-1]) if each["loc"] else "", list(known), n=1)
        message = {
            "missing": "is missing",
            "extra_forbidden": f"is not an option of this plugin{f'; did you mean {near[0]}?' if near else ''}",
        }.get(each["type"], said)
        problems.append(Problem(source, place, message))
    return problems


def _placed(problem: Problem, instance: Instance, source: str) -> Problem:
    """A plugin knows its settings by name; the operator knows them by the file and the instance that they stand in."""
    if problem.source not in instance.plugin.Config.model_fields:
        return problem
    return Problem(source, f"login.{instance.name}.{problem.source}", f"{problem.where}: {problem.message}")


def _resolved(config: BaseModel, folder: Path) -> BaseModel:
    """The same options with every path made absolute."""
    values = {name: _absolute(getattr(config, name), folder) for name in type(config).model_fields}
    return config.model_copy(update=values)


def _absolute(value: Any, folder: Path) -> Any:
    if isinstance(value, Path):
        return folder / value
    if isinstance(value, tuple | list):
        return type(value)(_absolute(each, folder) for each in value)
    return value


def _check_rights(plugin: Login, rights: Rights | None, problems: list[Problem]) -> list[str]:
    warnings: list[str] = []
    if rights is None or not isinstance(plugin, Listed):
        return warnings
    for entry in plugin.entries():
        parsed = rights.parse(entry.right.dictionary, entry.where)
        if isinstance(parsed, Parsed):
            warnings += [str(warning) for warning in parsed.warnings]
        else:
            problems += parsed.problems
    return warnings
