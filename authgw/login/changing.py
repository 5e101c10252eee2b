"""The part of the contract about passwords that people change themselves. Plugins import it from `authgw.contract`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

import msgspec

if TYPE_CHECKING:
    from authgw.contract import Change


class Changed(msgspec.Struct, frozen=True):
    """The new password holds, the old one no longer."""


class Unfit(msgspec.Struct, frozen=True):
    """The old password was right, the new one will not do: it is too short (under `least` characters), too long, the
    same as before, or holds the user's name."""

    why: Literal["short", "long", "same", "name"]
    least: int = 0


@runtime_checkable
class Changing(Protocol):
    """A `Login` may also have this: then people change their passwords on the account page, or when one has expired."""

    def can_change_password(self) -> bool:
        """Whether it could, as things are. Cheap: asked for each page."""

    async def change_password(self, user: str, old: str, new: str) -> Change:
        """Judges the old password itself. `Identity.password_changed_at` tells the new one's age from then on."""
