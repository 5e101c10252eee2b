"""The settings themselves: one frozen model for each table of the configuration file.

Defaults are spelt as an operator spells them and validated like everything else. Durations are seconds, sizes are
octets, paths are absolute or relative to the configuration file's folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator

from authgw.errors import Problem
from authgw.settings import choices
from authgw.settings.facts import Facts
from authgw.settings.sessions import Sessions
from authgw.settings.table import Table
from authgw.settings.table import setting as _setting
from authgw.settings.tokens import Tokens
from authgw.settings.upstream import Upstream
from authgw.settings.values import (
    Address,
    FilePath,
    Networks,
    Octets,
    Seconds,
    Switch,
    Text,
    Texts,
    Url,
    Whole,
)


class Gateway(Table):
    """Where the gateway listens and what it is called from outside."""

    listen: Address = _setting(
        "127.0.0.1:8080", description="Address and port to accept connections on; port 0 takes a free one."
    )
    public_url: Url = _setting(
        description="What browsers and scripts call. http only on this machine itself, https elsewhere.",
        examples=["http://127.0.0.1:8080"],
    )
    trusted_proxies: Networks = _setting(
        [], description="Addresses or networks whose X-Forwarded-* headers are believed; nobody's by default."
    )
    key_file: FilePath = _setting(
        "authgw.key",
        description="The key that seals sessions and stored secrets, made at first start. All instances share it.",
    )
    workers: Whole = _setting(
        1,
        ge=1,
        le=64,
        description="Processes that serve; more than one need a Redis store. Each has its own upstream.pool.",
    )
    max_body: Octets = _setting("1MiB", description="Largest request body.")
    body_timeout: Seconds = _setting("30s", description="Longest time for a request body to come in.")

    @property
    def base_path(self) -> str:
        """The path of `public_url`: empty, or like `/demo`."""
        return urlsplit(self.public_url).path

    @property
    def origin(self) -> str:
        """Scheme, host and port of `public_url`, as a browser writes them into `Origin`: no default port."""
        parts = urlsplit(self.public_url)
        netloc = parts.netloc.removesuffix(":443" if parts.scheme == "https" else ":80")
        return f"{parts.scheme}://{netloc}"

    @property
    def secure(self) -> bool:
        """Whether the public side is https."""
        return self.public_url.startswith("https://")


class LoginInstance(Table):
    """One login plugin with its options, which the plugin's own `Config` checks."""

    name: str
    plugin: Text = _setting("static", description="Which plugin; the instance's own name unless given.")
    options: Mapping[str, Any] = _setting({}, repr=False)
    on_failure: Literal["stop", "next"] = _setting(
        "stop",
        description='When the plugin cannot ask its backend: "stop" refuses the login, "next" asks the next one.',
    )
    sufficient: Switch = _setting(
        True, description="Whether a rejection by this plugin is final; false asks the next one."
    )


class Login(Table):
    """Who may come in: login plugins by name, asked in this order. [login.NAME] holds the options of each."""

    chain: Texts = _setting(min_length=1, description="Instances, asked in this order.", examples=[["static"]])
    folder: FilePath | None = _setting(
        None, description="A folder of .py files, each a login plugin under its own name.", examples=["logins"]
    )
    instances: tuple[LoginInstance, ...] = ()


class Audit(Table):
    """The record of logins, refusals and downloads."""

    file: FilePath = _setting("audit.jsonl", description="One JSON line for each event; made at first start.")


class Database(Table):
    """What must outlive the sessions."""

    url: Annotated[Text, AfterValidator(choices.database)] = _setting(
        "sqlite:///authgw.db",
        repr=False,
        description='"sqlite:///FILE", made at first start; or "mariadb://USER:PASSWORD@HOST/NAME", "mysql://…" or\n'
        '"postgresql://…". TLS: "?ssl_ca=FILE", for PostgreSQL "?sslmode=verify-full&sslrootcert=FILE".',
    )
    url_file: FilePath | None = _setting(
        None,
        description="Instead of url: a file with the URL in one line, for it may hold a password.\n"
        "AUTHGW_DATABASE__URL in the environment does as well.",
        examples=["database.url"],
    )


class Policy(Table):
    """What each call needs, and how far a call may look."""

    files: Texts = _setting(["voipmonitor"], min_length=1, description="Shipped policies by name, others by path.")
    scan_days: Whole = _setting(
        31, ge=0, le=36_600, description="Widest date range, in days, that is searched call by call; 0 is no bound."
    )
    scan_timeout: Seconds = _setting("60s", description="Longest time of such a search.")
    number_match: Literal["like", "prefix"] = _setting(
        "like", description='How a number without % is read: "like" is exactly that number, "prefix" all that begin so.'
    )
    refusals: Literal["status", "200"] = _setting(
        "status", description='Refusals carry their HTTP status, or "200" as the GUI itself answers.'
    )
    strict_rights: Switch = _setting(
        False, description="Refuse permission dictionaries with unknown keys, instead of a warning."
    )


class Groups(Table):
    """Group templates that fill in the permissions of users with an id_group."""

    file: FilePath | None = _setting(None, description="A file with [[group]] tables.", examples=["groups.toml"])


class Throttle(Table):
    """How failed logins are slowed down. Successes and a missing second factor do not count."""

    user_failures: Whole = _setting(5, ge=1, le=100_000, description="Failures of one user before he has to wait.")
    address_failures: Whole = _setting(
        50, ge=1, le=100_000, description="Failures from one address before it has to wait."
    )
    pair_failures: Whole = _setting(
        50, ge=1, le=100_000, description="Failures of one user from one address in a day before they have to wait."
    )
    window: Seconds = _setting("15m", description="Failures older than this are forgotten.")
    max_bad_login_attempt: Whole = _setting(
        10, ge=1, le=100, description="Failures that lock a user out, where his own dictionary says nothing."
    )


SECTIONS: dict[str, type[Table]] = {
    "gateway": Gateway,
    "upstream": Upstream,
    "sessions": Sessions,
    "login": Login,
    "tokens": Tokens,
    "audit": Audit,
    "database": Database,
    "facts": Facts,
    "policy": Policy,
    "groups": Groups,
    "throttle": Throttle,
}
REQUIRED = ("gateway", "upstream", "login")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that was set, checked. `file` is the configuration file; `warnings` are for the log and `check`."""

    file: Path
    gateway: Gateway
    upstream: Upstream
    sessions: Sessions
    login: Login
    tokens: Tokens
    audit: Audit
    database: Database
    facts: Facts
    policy: Policy
    groups: Groups
    throttle: Throttle
    warnings: tuple[Problem, ...] = ()

    @property
    def folder(self) -> Path:
        """What relative paths in the configuration are relative to."""
        return self.file.parent
