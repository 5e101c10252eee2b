"""What all tables of the configuration share."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticUndefined


def setting(default: Any = PydanticUndefined, *, live: bool = False, **more: Any) -> Any:
    """A setting with its default as text. `live`: the example configuration shows it switched on."""
    return Field(default, json_schema_extra={"live": live or default is PydanticUndefined}, **more)


class Table(BaseModel):
    """Base of every table: unknown keys are errors, values are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, arbitrary_types_allowed=True)
