"""The settings of the product's own database, where facts about calls are read."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator

from authgw.settings import choices
from authgw.settings.table import Table, setting
from authgw.settings.values import FilePath, Seconds, Text, Whole


class Facts(Table):
    """Facts about calls straight from the product's database, read only; without it the GUI is asked for each call."""

    url: Annotated[Text, AfterValidator(choices.facts)] | None = setting(
        None,
        repr=False,
        description='"mysql://USER:PASSWORD@HOST/voipmonitor" or "mariadb://…", with an account that may SELECT from\n'
        'cdr and cdr_next and do nothing else. TLS: "?ssl_ca=FILE".',
        examples=["mysql://authgw:PASSWORD@127.0.0.1/voipmonitor"],
    )
    url_file: FilePath | None = setting(
        None,
        description="Instead of url: a file with the URL in one line, for it may hold a password.\n"
        "AUTHGW_FACTS__URL in the environment does as well.",
        examples=["facts.url"],
    )
    timeout: Seconds = setting("3s", description="Longest time for a connection, and for a statement.")
    threads: Whole = setting(4, ge=1, le=64, description="Connections to it, one statement each at a time.")
    fallback: Literal["none", "gui"] = setting(
        "none", description='With the database gone: "none" refuses what needs a look-up, "gui" asks the GUI instead.'
    )
    headers: dict[str, Annotated[Text, AfterValidator(choices.header_place)]] = setting(
        {},
        description="Custom headers whose column does not bear their name: where each is recorded.",
        examples=[{"X-Account": "cdr_next_1.custom_header_3"}],
    )
