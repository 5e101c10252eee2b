"""The settings of sessions."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from authgw.settings import choices
from authgw.settings.table import Table, setting
from authgw.settings.values import Seconds, SecondsOrOff, Text, Whole, duration


class Sessions(Table):
    """Where sessions are kept and how long they live."""

    store: Annotated[Text, AfterValidator(choices.store)] = setting(
        "memory://",
        repr=False,
        description='"memory://" inside the process, or "redis://host:6379/0", or "rediss://…" for TLS.',
    )
    idle: Seconds = setting("30m", description="A session unused for so long ends.")
    absolute: Seconds = setting("12h", description="Every session ends after so long.")
    refresh: Seconds = setting("5m", description="After so long the login of a session in use is asked again.")
    unconfirmed: Seconds = setting("1h", description="A session whose login cannot be asked again ends after so long.")
    remember: SecondsOrOff = setting(
        "off",
        description='How long a session lasts, used or not, whose owner ticks "keep me signed in". "off": not offered.',
    )
    per_user: Whole = setting(20, ge=1, le=10_000, description="Sessions of one user; over it the oldest ends.")
    outage: Annotated[Text, AfterValidator(choices.outage)] = setting(
        "closed",
        description='With the store gone: "closed" refuses, "grace:60s" lets known sessions read for so long.',
    )

    @property
    def grace(self) -> float:
        """Seconds for which known sessions may read while the store is gone; 0: not at all."""
        return duration(self.outage.partition(":")[2]) if self.outage != "closed" else 0.0
