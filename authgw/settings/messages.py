"""pydantic's errors as located problems that say what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from authgw.errors import Problem
from authgw.settings.environment import SOURCE
from authgw.settings.models import SECTIONS


def located(
    error: ValidationError, table: tuple[str, ...], source: str, origin: Mapping[tuple[str, ...], str]
) -> list[Problem]:
    """One problem for each error, at its key in `table`, or at the variable of the environment that it came from."""
    problems: list[Problem] = []
    for detail in error.errors(include_url=False):
        keys = (*table, *(str(key) for key in detail["loc"] if key != "[key]"))
        variable = next((name for at, name in origin.items() if keys[: len(at)] == at), None)
        message = _message(dict(detail), keys)
        problems.append(
            Problem(SOURCE, variable, message) if variable is not None else Problem(source, ".".join(keys), message)
        )
    return problems


def _message(detail: dict[str, Any], keys: tuple[str, ...]) -> str:
    context = detail.get("ctx", {})
    match detail["type"]:
        case "value_error":
            return str(context["error"])
        case "missing":
            return "is required; add it"
        case "extra_forbidden":
            return _unknown(keys)
        case "literal_error":
            choices = str(context["expected"]).replace("'", '"')
            return f"must be {choices}; write one of them"
        case "greater_than_equal":
            return f"must be at least {context['ge']}; write a larger number"
        case "less_than_equal":
            return f"must be at most {context['le']}; write a smaller number"
        case "too_short":
            return "must not be empty; name at least one"
        case "dict_type" | "model_type":
            return f"must be a table; write [{'.'.join(keys)}] and its settings below it"
    return f"{detail['msg']}; correct the value"


def _unknown(keys: tuple[str, ...]) -> str:
    model = SECTIONS[keys[0]]
    known = [name for name, field in model.model_fields.items() if not field.exclude and name != "instances"]
    near = get_close_matches(keys[-1], known, n=1)
    advice = f"did you mean {near[0]}?" if near else f"take it out, or use one of {', '.join(known)}"
    return f"is not a setting; {advice}"
