"""A VoIPmonitor look-alike on real call records: what `authgw demo` protects.

It speaks the product's Web API as its description and its clients know it, habits of PHP included, and knows
nothing of tenants: whoever has logged in sees every call. Keeping them apart is the gateway's part.
What it assumes where that description is silent stands in `authgw.demo.assumed`.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from authgw.demo import files, sections
from authgw.demo.api import api
from authgw.demo.calls import sql
from authgw.demo.history import pcap2text
from authgw.demo.licence import licence
from authgw.demo.pages import FILES, page
from authgw.demo.php import BODY_LIMIT, Asked, cookie, json_fields, put, variables
from authgw.demo.records import load
from authgw.demo.share import shared
from authgw.demo.site import HTML, Answer, Body, File, Script, Site, failure, guarded
from authgw.demo.utilities import utilities

Headers = Sequence[tuple[bytes, bytes]]
_AUDIO = re.compile(r"/php/([0-9]{1,18})\.wav")
NOT_FOUND = Body(b"<!DOCTYPE html><title>404 Not Found</title><h1>Not Found</h1>", HTML, status=404)
# What PHP and its sessions add to every answer. None of it is for the world outside.
SERVER = ((b"server", b"Apache/2.4.62 (Debian)"),)
PHP = (
    (b"x-powered-by", b"PHP/8.2.29"),
    (b"expires", b"Thu, 19 Nov 1981 08:52:00 GMT"),
    (b"cache-control", b"no-store, no-cache, must-revalidate"),
    (b"pragma", b"no-cache"),
)
SCRIPTS: Mapping[str, Script] = {
    "/php/model/sql.php": sql,
    "/php/pcap.php": guarded(files.pcap),
    "/php/pcap2wav.php": guarded(files.pcap2wav),
    "/php/pcap2text.php": guarded(pcap2text),
    "/php/model/utilities.php": utilities,
    "/php/api.php": api,
    "/php/apilicensecheck.php": licence,
    "/admin.php": page,
    "/index.php": page,
    "/cdr.php": shared,
    "/": page,
}


def build(
    data: Path | None, user: str, password: str, base: str = "", *, warnings: int = 7, active_rows: bool = False,
    active_numbers: bool = False,
) -> Starlette:  # fmt: skip
    """The look-alike as an ASGI app. `data`: a folder of call records, None for those that come along.

    `user`, `password`: its one account, the service account of whoever stands in front. `base`: the GUI's path,
    "" or "/demo" (then the cookie is PHPSESSID-demo). `warnings`: every n-th LISTING has a PHP warning before
    its JSON, 0 for none. `active_rows`: active calls as rows below one of names, not as objects; `active_numbers`:
    their IPv4 addresses as unsigned numbers. Raises FileNotFoundError for a folder without cdr.jsonl.
    """
    base = "/" + base.strip("/") if base.strip("/") else ""
    records = load(data)
    others = sections.load(records.folder)
    site = Site(records, user, password, base, warnings, active_rows, active_numbers, others)
    return Starlette(middleware=[Middleware(Product, site=site)])


class Product:
    """Every request below `base`, answered. Pure ASGI, because tests ask it tens of thousands of times."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self.app, self.site = app, site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        head, path = scope["path"][: len(self.site.base)], scope["path"][len(self.site.base) :]
        if head != self.site.base:
            await write(NOT_FOUND, SERVER, scope, receive, send)
            return
        asked = await read(scope, receive, path, self.site.cookie)
        answer = self.answer(asked)
        habits = SERVER if path in FILES else (*SERVER, *PHP, self.site.set_cookie(asked.sid))
        await write(answer, habits, scope, receive, send)

    def answer(self, asked: Asked) -> Answer:
        """What the script at that path says."""
        if script := SCRIPTS.get(asked.path):
            try:
                return script(self.site, asked)
            except sqlite3.Error:  # a list or a pattern longer than the database takes
                return failure("SQL error")
        if match := _AUDIO.fullmatch(asked.path):
            return guarded(lambda site, _: files.audio(site, int(match[1]), download=False))(self.site, asked)
        return FILES.get(asked.path, NOT_FOUND)


async def read(scope: Scope, receive: Receive, path: str, name: str) -> Asked:
    """The request as PHP would present it to a script."""
    headers: dict[bytes, bytes] = dict(reversed(scope["headers"]))
    fields: dict[str, Any] = variables(scope["query_string"].decode("latin-1"))
    if scope["method"] == "POST":
        kind = headers.get(b"content-type", b"").lower()
        body = await read_body(receive)
        if (members := json_fields(body)) is not None:
            fields.update(members)
        elif kind.startswith(b"application/x-www-form-urlencoded"):
            fields.update(variables(body.decode("utf-8", "replace")))
        elif kind.startswith(b"multipart/form-data"):
            fields.update(await multipart(scope, body))
    sid = cookie(headers.get(b"cookie", b"").decode("latin-1"), name)
    return Asked(scope["method"], path, fields, sid, headers.get(b"host", b"").decode("latin-1"))


async def read_body(receive: Receive) -> bytes:
    """The whole body; one over PHP's bound counts as empty."""
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        if size <= BODY_LIMIT:
            parts.append(part)
        more = message.get("more_body", False)
    return b"".join(parts) if size <= BODY_LIMIT else b""


async def multipart(scope: Scope, body: bytes) -> dict[str, Any]:
    """The text fields of a form of several parts; a form that cannot be read has none."""

    async def replay() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    fields: dict[str, Any] = {}
    try:
        async with Request(scope, replay).form() as form:
            for name, value in form.multi_items():
                if isinstance(value, str):
                    put(fields, name, value)
    except Exception:
        return {}
    return fields


async def write(answer: Answer, habits: Headers, scope: Scope, receive: Receive, send: Send) -> None:
    """Send the answer; a header it brings itself wins over the usual one."""
    if isinstance(answer, File):
        response = FileResponse(answer.path, media_type=answer.type, filename=answer.name or None)
        response.raw_headers.extend(habits)
        await response(scope, receive, send)
        return
    own = {name for name, _ in answer.headers}
    length = (b"content-length", b"%d" % len(answer.body))
    usual = [header for header in habits if header[0] not in own]
    headers = [(b"content-type", answer.type), length, *answer.headers, *usual]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})
