"""What the README says that can be wrong: its examples are run, its tables compared with the program."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from authgw import services, watch
from authgw.account import challenges, stepup, token
from authgw.catalogue.load import load
from authgw.cli import code, connect, http, serve, taken
from authgw.cli.main import main
from authgw.demo.accounts import users
from authgw.durable import database, factors, tokens
from authgw.facts import teller
from authgw.intake import json as intake_json
from authgw.intake.limits import Limits
from authgw.login import bearer, chain, flow, recovery, redirect, throttle, totp, user, verified
from authgw.narrow import facts_gui, facts_outline, facts_teller, fetch, scan, sensors
from authgw.narrow.flow import MAX_ROW, WHOLE
from authgw.policy import decide, fields, kinds
from authgw.session import cache, epochs, keys, links, memory
from authgw.settings.models import SECTIONS
from authgw.upstream import reading, websocket
from authgw.upstream.client import ClientLimits
from authgw_plugins import oidc_config, oidc_judge, oidc_provider, oidc_wire, script, static
from kit.readme import ROOT, blocks, commands, heading, readme, rows, section
from kit.readme_run import explained, run, write_files

FIRST_SCREEN = 40

NUMBER = re.compile(r"\d+(ms|s|m|h|d|[KMG]?i?B)?")

_LIMITS = Limits()
_CLIENT = ClientLimits()
_STATIC = static.StaticConfig.model_fields
_SCRIPT = script.ScriptConfig.model_fields
_OIDC = oidc_config.OidcConfig.model_fields
FIXED = {
    "fields of a request": f"{_LIMITS.max_fields}",
    "length of a field's name": f"{_LIMITS.max_name}",
    "path and query": f"{_LIMITS.max_target // 1024} KiB",
    "headers of a request": f"{_LIMITS.max_headers}, {_LIMITS.max_header_bytes // 1024} KiB",
    "depth of a JSON body": f"{intake_json.DEPTH}",
    "`params`: depth, elements": f"{fields.JSON_DEPTH}, {fields.MAX_ELEMENTS}",
    "length of a text parameter": f"{kinds.MAX_TEXT}",
    "`limit` of a list, for users with a scope": f"{decide.MAX_LIMIT}",
    "`size` of listCdrIds": f"{kinds.MAX_COUNT}",
    "look-ups of one request at a time: by the GUI, by the database": f"{facts_gui.WIDTH}, {teller.BATCH}",
    "calls in one question to the database": f"{teller.BATCH}",
    "calls for which a list of their time is asked for: at least, within": (
        f"{facts_outline.LEAST}, {facts_outline.LONGEST.total_seconds() / 3600:g} h"
    ),
    "columns of the database are remembered": f"{teller.LAYOUT_SECONDS:g} s",
    "facts of a call, and that there is none, are remembered": f"{facts_teller.TTL:g} s",
    "the list of sensors is remembered": f"{sensors.TTL:g} s",
    "credentials sent with a call are remembered": f"{verified.MAX_SECONDS:g} s",
    "that a user's sessions were not ended is remembered": f"{epochs.CACHE_SECONDS:g} s",
    "sessions that a process remembers; how long without asking Redis, without hearing from it": (
        f"{memory.ENTRIES}; {memory.CURRENT_SECONDS:g} s, {cache.VOUCHED_SECONDS:g} s"
    ),
    "user name, password": f"{user.MAX_USER} characters, {user.MAX_PASSWORD_BYTES} bytes",
    "time of a login plugin": f"{chain.PLUGIN_SECONDS:g} s",
    "longest pause after failed logins, before the lock-out, and after guessed tokens": f"{throttle.MAX_PAUSE} s",
    "a token that is in no database is not looked for again": f"{bearer.UNKNOWN_SECONDS:g} s",
    "a login attempt between password and second factor, wrong codes in it": f"{flow.SECONDS:g} s, {flow.MAX_WRONG}",
    "steps of 30 s by which a code may be off; by which a clock is told": f"{totp.TOLERANCE}, {totp.SKEW}",
    "recovery codes, second factors of a user": f"{recovery.COUNT}, {factors.MAX_FACTORS}",
    "threads that check passwords; logins in line for them, and how long (`[login.static] threads`, `waiting`)": (
        f"{_STATIC['threads'].default}; {_STATIC['waiting'].default}, {static.PATIENCE:g} s"
    ),
    "threads, seconds of a script (`threads`, `timeout`)": (
        f"{_SCRIPT['threads'].default}, {_SCRIPT['timeout'].default:g} s"
    ),
    "time to sign in at a provider": f"{redirect.SECONDS} s",
    "logins that begin at a provider, per address": f"{throttle.MAX_BEGUN} a minute",
    "what a provider says of itself, and its keys, are remembered": f"{oidc_provider.REMEMBERED_SECONDS:g} s",
    "an unknown key of a provider's is looked for": f"every {oidc_provider.KEYS_SECONDS:g} s",
    "answers of a provider": f"{oidc_wire.MAX_REPLY // 1024} KiB",
    "age of ID tokens and logout tokens, clocks apart (`leeway`)": (
        f"{oidc_judge.FRESH_SECONDS:g} s, {_OIDC['leeway'].default:g} s"
    ),
    "an access token's login is one line of the trail for": f"{verified.MAX_SECONDS:g} s",
    "a question to the database, an upgrade of its tables": f"{database.ASK_SECONDS:g} s, {database.UPGRADE_SECONDS} s",
    "a backend of `check --connect`": f"{connect.PROBE_SECONDS:g} s",
    "lists that are narrowed while they come in: from, at once, longest row": (
        f"{WHOLE >> 20} MiB, half of `upstream.pool`, {MAX_ROW >> 20} MiB"
    ),
    "a page of a scan: rows, and bytes, above which fewer rows are asked for": f"{scan.CHUNK:,}, {scan.PAGE >> 20} MiB",
    "a client takes a download at, beyond `body_timeout`": f"{watch.SLOWEST // 1024} KiB/s",
    "keys in the key file": f"{keys.MAX_KEYS}",
    "time to finish at the end": f"{serve.GRACEFUL_SECONDS} s",
    "head of a request, time for it": f"{http.MAX_HEAD // 1024} KiB, {http.HEAD_SECONDS:g} s",
    "idle connections of clients": f"{http.KEEP_ALIVE_SECONDS} s",
    "a client takes an answer that is not streamed, or a message of a WebSocket, within, and at": (
        f"{taken.ANSWER_SECONDS:g} s, {watch.SLOWEST // 1024} KiB/s"
    ),
    "idle connections to the GUI": f"{_CLIENT.keep:g} s",
    "a reply of the GUI: head, fields, interim replies before it": (
        f"{_CLIENT.head // 1024} KiB, {_CLIENT.fields}, {reading.MAX_INTERIM}"
    ),
    "a message of a WebSocket": f"{websocket.MAX_MESSAGE >> 20} MiB",
    "calls in a list of ids (share, delete)": f"{kinds.MAX_IDS}",
    "legs of one Call-ID, calls with one header": f"{facts_teller.MAX_FOUND}",
    "captures or recordings merged or zipped at once, on disk": f"{fetch.MAX_BUNDLE >> 30} GiB",
    "fields of a share page's address": f"{links.MAX_FIELDS}",
    "a reason saved before a download counts": f"{services.REASON_SECONDS:g} s",
    "what a token opens is remembered": f"{verified.MAX_SECONDS:g} s",
    "the last use of a token is known to": f"{tokens.USED_SECONDS:g} s",
    "length of a token's name": f"{token.MAX_NAME}",
    "proving once more who one is counts": f"{stepup.SECONDS:g} s",
    "a passkey asked for on the account page has to answer within": f"{challenges.SECONDS:g} s",
    "shortest new password (`[login.static] min_password`)": f"{_STATIC['min_password'].default}",
    "what `explain --code` reads of the audit log, unpacked": f"{code.MAX_FILES} files, {code.MAX_BYTES >> 30} GiB",
}
"""Bounds that are no settings: the README's words for them, and what the program has."""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with the files that the README shows."""
    write_files(tmp_path)
    return tmp_path


def test_the_first_screen_proves_itself(place: Path) -> None:
    """User, request, command, answer and why: what the README begins with is what the program says.

    `make readme` writes it anew.
    """
    shown = explained()
    assert len(shown) == 2
    assert shown[0].line < FIRST_SCREEN
    for block, status in zip(shown, (0, 1), strict=True):
        ((command, output),) = commands(block)
        assert command.startswith("authgw explain ")
        assert run(command, place) == (status, output)


def test_the_example_configuration_is_fine(place: Path) -> None:
    """The configuration that is enough to begin with is one that `authgw check` finds nothing in."""
    assert run("authgw check --config authgw.toml", place) == (0, "authgw.toml: fine")


def test_the_python_login_is_a_plugin() -> None:
    """The ten lines that the README calls a complete login are ten lines, and define the function."""
    (block,) = blocks("python custom_login.py")
    code = [line for line in block.text.splitlines() if line.strip()]
    assert len(code) <= 10
    found: dict[str, object] = {}
    exec(compile(block.text, "custom_login.py", "exec"), found)
    assert callable(found["custom_login"])


def test_the_accounts_are_those_of_the_demo() -> None:
    """Names, passwords and what they see are as `authgw demo` has them."""
    shown = rows(section("Try it"), 3)
    assert shown == [(f"`{one['username']}`", f"`{one['password']}`", one["note"]) for one in users()]


def test_every_default_is_as_the_settings_have_it() -> None:
    """The README's table of settings holds every number, duration and size, and each as it is."""
    defaults = {
        f"{name}.{key}": str(field.default)
        for name, model in SECTIONS.items()
        for key, field in model.model_fields.items()
        if isinstance(field.default, str | int)
    }
    shown = {setting.strip("`"): value.strip("`") for setting, value, _ in rows(section("Bounds and defaults"), 3)}
    assert {setting: defaults.get(setting) for setting in shown} == shown
    assert {setting for setting, value in defaults.items() if NUMBER.fullmatch(value)} <= shown.keys()


def test_every_fixed_bound_is_as_the_program_has_it() -> None:
    """The README's table of fixed bounds is the program's."""
    assert {row[0]: row[1] for row in rows(section("Bounds and defaults"), 2)} == FIXED


def test_every_command_is_described() -> None:
    """The table of commands has every command that exists, and none that does not."""
    shown = {re.split(r"[` ]", command)[2] for command, _, _ in rows(section("Commands"), 3)}
    assert shown == set(main.list_commands(main.make_context("authgw", [], resilient_parsing=True)))


def test_what_is_not_built_is_said() -> None:
    """The README lists exactly the calls that are refused because they are not built yet."""
    shown = {name.strip("`") for name, _ in rows(section("Refused, and why"), 2)}
    assert shown == {entry.name for entry in load(["voipmonitor"], ROOT).entries if entry.refuse == "not_built"}


def test_every_room_is_shown() -> None:
    """Every folder of the program that holds code is in the README's tree of rooms, and no other."""
    shown = set(re.findall(r"^ {4,}(\w+)/ ", section("The rooms"), re.MULTILINE))
    held = {path.parent.name for path in (ROOT / "authgw").glob("*/*.py") if path.name != "__init__.py"}
    tops = {path.name for path in ROOT.iterdir()}
    assert shown - tops == held - tops


def test_every_goal_exists() -> None:
    """Every `make` goal that is named is one of the Makefile's."""
    goals = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)\b", " ".join(re.findall(r"^    make .*$|`make [^`]*`", readme(), re.M))))
    assert named
    assert named <= goals


@pytest.mark.parametrize("name", ["README.md", "plugins/README.md"])
def test_every_link_leads_somewhere(name: str) -> None:
    """A link leads to a file that is there, or to a chapter of the same text."""
    text = re.sub(r"^```.*?^```$", "", (ROOT / name).read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    chapters = {f"#{heading(title)}" for title in re.findall(r"^##+ (.*)$", text, re.MULTILINE)}
    links = set(re.findall(r"(?<!!)\[[^\]\n]+\]\(([^)\s]+)\)", text))
    assert len(links) >= 5
    assert {link for link in links - chapters if not (ROOT / name).parent.joinpath(link).exists()} == set()


def test_every_plugin_is_shown() -> None:
    """The README's table of logins has every plugin that ships."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    shown = {name.strip("`") for name, _, _ in rows(section("Logins"), 3)}
    assert shown == set(project["entry-points"]["authgw.login"]) | {"your own"}


@pytest.mark.parametrize("name", ["README.md", "SECURITY.md", "CHANGELOG.md", "deploy/README.md", "plugins/README.md"])
def test_files_that_are_named_exist(name: str) -> None:
    """A path in code marks that looks like one of this repository is one."""
    text = (ROOT / name).read_text("utf-8")
    tops = {path.name for path in ROOT.iterdir()} - {".venv"}
    named = {word for word in re.findall(r"`([\w./-]+)`", text) if word.split("/")[0] in tops and "/" in word}
    missing = {
        word for word in named if not (ROOT / word).exists() and not (ROOT / name).parent.joinpath(word).exists()
    }
    assert not missing - {"bench/out/"}
