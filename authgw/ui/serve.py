"""The gateway's own pages over HTTP: the same intake as every other request, answers as values, files by name."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from authgw import edge
from authgw.answer import Answer
from authgw.errors import StoreError
from authgw.intake.limits import Limits
from authgw.intake.read import read
from authgw.intake.request import Raw, Refused, Request
from authgw.parts import request_id
from authgw.reasons import Reason
from authgw.ui import assets, page
from authgw.ui.texts import Texts, reader

YEAR = "public, max-age=31536000, immutable"
log = logging.getLogger("authgw.ui")

Handler = Callable[[Request], Awaitable[Answer]]
RawHandler = Callable[[Request, Raw], Awaitable[Answer]]


def route(path: str, handler: Handler, method: str, limits: Limits, body_seconds: float) -> Route:
    """A page at an exact path. The handler sees canonical requests only."""
    return raw_route(path, lambda request, _: handler(request), method, limits, body_seconds)


def raw_route(path: str, handler: RawHandler, method: str, limits: Limits, body_seconds: float) -> Route:
    """The same for a handler that also has to know which peer sent which headers."""

    async def endpoint(http: HttpRequest) -> Response:
        return await _serve(http, handler, limits, body_seconds)

    return Route(path, endpoint, methods=[method])


def asset_route() -> Route:
    """The files that pages need; there are no others below this address."""
    return Route(assets.PREFIX + "{name:path}", _asset, methods=["GET"])


async def _serve(http: HttpRequest, handler: RawHandler, limits: Limits, seconds: float) -> Response:
    """The request as intake reads every other one; every failure is a page with a support code."""
    id = request_id()
    t = _reader(http)
    try:
        raw = await edge.read_raw(dict(http.scope), _receive(http), limits.max_body, seconds)
        if isinstance(raw, Refused):
            return _response(_refused(raw, id, t), id)
        request = read(raw, limits)
        if isinstance(request, Refused):
            answer = _refused(request, id, t)
        else:
            answer = await handler(request, raw)
    except StoreError as error:
        log.error("%s %s", id, error)
        answer = page.refusal_page(503, Reason.STORE_UNAVAILABLE, "", id, t)
    except edge.ClientGone:
        answer = Answer(499)
    except Exception:
        log.exception("%s failed", id)
        answer = page.refusal_page(500, Reason.INTERNAL, "", id, t)
    return _response(answer, id)


def _refused(refused: Refused, id: str, t: Texts) -> Answer:
    log.info("%s refused: %s: %r", id, refused.reason, refused.detail)
    return page.refusal_page(refused.status, refused.reason, "", id, t)


def _reader(http: HttpRequest) -> Texts:
    """Whoever asks, told from what may not even be a request that can be read."""
    return reader(http.headers.get("accept-language", ""), {name: (text,) for name, text in http.cookies.items()})


def _receive(http: HttpRequest) -> edge.Receive:
    async def receive() -> dict[str, Any]:
        return dict(await http.receive())

    return receive


def _response(answer: Answer, id: str) -> Response:
    response = Response(answer.body, answer.status, media_type=answer.content_type)
    standing = (("cache-control", "private, no-store"), ("x-content-type-options", "nosniff"), ("x-request-id", id))
    for name, value in (*standing, *answer.headers):
        response.headers.append(name, value)
    return response


async def _asset(http: HttpRequest) -> Response:
    asset = assets.all_assets().get(http.path_params["name"])
    if asset is None:
        return _response(page.refusal_page(404, Reason.NOT_FOUND, "", "", _reader(http)), "")
    headers = {"cache-control": YEAR, "etag": asset.etag, "x-content-type-options": "nosniff"}
    if http.headers.get("if-none-match") == asset.etag:
        return Response(b"", 304, headers)
    return Response(asset.body, 200, headers, media_type=asset.content_type)
