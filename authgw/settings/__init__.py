"""Typed settings from one TOML file, the environment (AUTHGW_SECTION__KEY) and secret files.

`load` reports every mistake at once, each with its place and what to do next. `example` is the commented
configuration that deploy/authgw.example.toml holds.
"""

from authgw.settings.example import example
from authgw.settings.models import (
    SECTIONS,
    Audit,
    Database,
    Gateway,
    Groups,
    Login,
    LoginInstance,
    Policy,
    Settings,
    Throttle,
)
from authgw.settings.read import load
from authgw.settings.sessions import Sessions
from authgw.settings.upstream import Upstream
from authgw.settings.values import Listen

__all__ = [
    "SECTIONS",
    "Audit",
    "Database",
    "Gateway",
    "Groups",
    "Listen",
    "Login",
    "LoginInstance",
    "Policy",
    "Sessions",
    "Settings",
    "Throttle",
    "Upstream",
    "example",
    "load",
]
