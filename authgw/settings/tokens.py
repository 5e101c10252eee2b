"""The settings of API tokens."""

from __future__ import annotations

from authgw.settings.table import Table, setting
from authgw.settings.values import Seconds, Whole


class Tokens(Table):
    """API tokens, which users make on their account page for their scripts."""

    lifetime: Seconds = setting("90d", description="How long a token lives unless its maker says otherwise.")
    longest: Seconds = setting("365d", description="Longest life of a token.")
    per_user: Whole = setting(20, ge=0, le=1000, description="Tokens of one user; 0: nobody makes tokens.")
    rights_age: Seconds = setting(
        "30d",
        description="How long the rights of a user's last login hold for his tokens, where his login plugin cannot "
        "tell them later.",
    )
