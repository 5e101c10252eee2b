"""What an operator copies: unit, container file, nginx example and lock files fit the program they are for."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest

from authgw.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"

LOCKS = ("requirements.lock", "requirements-runtime.lock", "requirements-build.lock")


def read(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


def unit() -> dict[str, list[str]]:
    """The unit's settings; one that is given several times has several values."""
    found: dict[str, list[str]] = {}
    for line in read("authgw.service").splitlines():
        name, mark, value = line.partition("=")
        if mark and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def instruction(name: str) -> list[str]:
    """The last instruction of that name in the container file, its JSON list decoded."""
    text = read("Containerfile").replace("\\\n", " ")
    line = [line for line in text.splitlines() if line.startswith(name + " ")][-1]
    value = json.loads(line[line.index("[") :])
    assert isinstance(value, list)
    return [str(word) for word in value]


def parses(arguments: list[str]) -> click.Context:
    """The command that the arguments name, its options read but nothing run."""
    outer = main.make_context("authgw", list(arguments))
    name, command, rest = main.resolve_command(outer, [*outer._protected_args, *outer.args])
    assert command is not None
    return command.make_context(name, rest, parent=outer)


def packages(lock: str) -> dict[str, set[str]]:
    """Names and the versions a lock file allows for them (more than one where they depend on the Python version)."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", (ROOT / lock).read_text("utf-8"), re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


def test_the_unit_starts_a_command_that_exists() -> None:
    """The service's command line is one that this program understands, options included."""
    (line,) = unit()["ExecStart"]
    program, *arguments = shlex.split(line)
    assert Path(program).name == "authgw"
    context = parses(arguments)
    assert context.info_name == "serve"
    assert context.params["path"] == Path("/etc/authgw/authgw.toml")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("User", "authgw"),
        ("NoNewPrivileges", "yes"),
        ("CapabilityBoundingSet", ""),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("PrivateTmp", "yes"),
        ("PrivateDevices", "yes"),
        ("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX"),
        ("MemoryDenyWriteExecute", "yes"),
        ("UMask", "0077"),
        ("Restart", "on-failure"),
        ("Type", "exec"),
    ],
)
def test_the_unit_keeps_its_walls(setting: str, value: str) -> None:
    """The service runs without rights it does not need."""
    assert unit()[setting] == [value]


def test_the_unit_names_its_credentials_where_systemd_puts_them() -> None:
    """The paths that the unit's comments give for authgw.toml are those that its own settings make."""
    names = [value.partition(":")[0] for value in unit()["LoadCredential"]]
    (state,) = unit()["StateDirectory"]
    shown = read("authgw.service")
    assert names
    assert all(f"/run/credentials/authgw.service/{name}" in shown for name in names)
    assert set(re.findall(r"(/var/lib/[a-z]+)/", shown)) == {f"/var/lib/{state}"}


def test_the_container_starts_a_command_that_exists() -> None:
    """Entry point and default arguments of the image are understood by this program."""
    program, *arguments = instruction("ENTRYPOINT") + instruction("CMD")
    assert program == "authgw"
    assert parses(arguments).info_name == "serve"


def test_the_container_is_made_from_files_that_exist() -> None:
    """Every file that the image is made from is in the repository, and its packages are checked by their hashes."""
    text = read("Containerfile")
    copied = [line.split()[1:-1] for line in text.splitlines() if line.startswith("COPY ") and "--from" not in line]
    assert copied
    assert all((ROOT / name).exists() for names in copied for name in names)
    installs = re.findall(r"pip install ([^\n&\\]*)", text)
    assert all("--require-hashes" in options or "--no-index" in options for options in installs)


def test_the_container_has_no_root_and_no_secret() -> None:
    """The image runs as an ordinary account and carries nothing that must be kept."""
    text = read("Containerfile")
    assert [line.split()[1] for line in text.splitlines() if line.startswith("USER ")] == ["10001:10001"]
    assert not re.search(r"^(ENV|ARG).*(PASSWORD|SECRET|TOKEN|KEY)", text, re.MULTILINE | re.IGNORECASE)


def test_nginx_passes_what_it_was_sent() -> None:
    """The example neither rewrites the path, nor believes a client's X-Forwarded-For, nor buffers a stream."""
    settings = [line.split("#")[0].strip() for line in read("nginx.conf").splitlines()]
    words = {" ".join(line.rstrip(";").split()) for line in settings if line}
    assert {
        "merge_slashes off",
        "proxy_pass http://authgw",
        "proxy_set_header X-Forwarded-For $remote_addr",
        "proxy_buffering off",
        "proxy_request_buffering off",
        "proxy_next_upstream off",
    } <= words


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_name_no_server_and_hash_everything(lock: str) -> None:
    """A lock file says what a package is, not where somebody once fetched it."""
    text = (ROOT / lock).read_text("utf-8")
    assert "://" not in text
    assert "find-links" not in text
    blocks = re.split(r"^(?=[a-z0-9._-]+==)", text, flags=re.MULTILINE)[1:]
    assert blocks
    assert all("--hash=sha256:" in block for block in blocks)


def test_locks_hold_what_the_project_asks_for() -> None:
    """Every dependency of every extra is in the whole lock; the runtime's lock has the same versions of its part."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    optional = project["optional-dependencies"]
    # An installation can be pointed at a database server without anything more.
    runtime = [*project["dependencies"], *optional["mysql"], *optional["postgresql"]]
    extras = [name for names in optional.values() for name in names]

    def names(requirements: list[str]) -> set[str]:
        return {re.split(r"[\[<>=!~ ;]", line)[0].lower() for line in requirements}

    whole, part = packages("requirements.lock"), packages("requirements-runtime.lock")
    assert names([*runtime, *extras]) <= whole.keys()
    assert names(runtime) <= part.keys()
    assert "pytest" not in part
    for lock in LOCKS[1:]:
        shared = {name: versions for name, versions in packages(lock).items() if name in whole}
        assert shared == {name: whole[name] for name in shared}
