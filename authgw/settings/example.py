"""The commented example configuration, written from the models so that it cannot lag behind them."""

from __future__ import annotations

import json
import textwrap
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from authgw.settings.models import REQUIRED, SECTIONS, LoginInstance
from authgw.settings.table import Table

_HEAD = """\
# Configuration of authgw. A line like "# name = value" shows a default, or an example where there is no default.
# Paths are relative to this file. Every setting can come from the environment instead: AUTHGW_UPSTREAM__URL is
# url of [upstream].
"""

# What the shipped static plugin needs, so that the example is one that starts.
_STATIC = '# The file with the accounts.\nusers = "users.toml"'


def example() -> str:
    """TOML text: required settings switched on, everything else commented out with its default."""
    blocks = [_HEAD]
    for name, model in SECTIONS.items():
        lines = [_comment((model.__doc__ or "") + ("" if name in REQUIRED else " Optional.")), f"[{name}]"]
        lines += _settings(model)
        if name == "login":
            lines += ["", "[login.static]", *_settings(LoginInstance), _STATIC]
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)


def _settings(model: type[Table]) -> list[str]:
    lines: list[str] = []
    for name, field in model.model_fields.items():
        if field.description is None:
            continue
        live = isinstance(field.json_schema_extra, dict) and field.json_schema_extra["live"] is True
        value = _shown(field, live)
        lines.append(_comment(field.description))
        lines.append(("" if live else "# ") + f"{name} = {_toml(value)}")
    return lines


def _shown(field: FieldInfo, live: bool) -> Any:
    without = field.default is PydanticUndefined or field.default is None or field.default == {}
    return field.examples[0] if field.examples and (live or without) else field.default


def _comment(text: str) -> str:
    return "\n".join("# " + line for part in text.split("\n") for line in textwrap.wrap(part, 116))


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
