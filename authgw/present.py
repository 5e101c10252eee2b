"""How a refusal looks: to the product's API clients as the product says it, to people as a page.

The support code is the request id of every answer; bodies repeat it in 403 and 5xx, never in 404: what does not exist
for a user must look the same each time. The product's own texts for sql.php and utilities.php stay word for word.
"""

from __future__ import annotations

from urllib.parse import quote

from authgw.answer import Answer, as_json, as_text
from authgw.errors import UpstreamError
from authgw.intake import canonical, encode
from authgw.intake.request import Request
from authgw.policy.decision import Deny
from authgw.reasons import UPSTREAM_TIMEOUTS, Reason
from authgw.ui import page as ui
from authgw.ui.texts import reader

_PRODUCT_TEXT = ("/php/model/sql.php", "/php/model/utilities.php")
RETRY_SECONDS = "5"


_UNASKED = {
    **dict.fromkeys(UPSTREAM_TIMEOUTS, 504),
    Reason.UPSTREAM_BUSY: 503,
    Reason.FACTS_UNAVAILABLE: 503,
}


def unasked(error: UpstreamError, entry: str) -> Deny:
    """The refusal of a call for which the GUI could not be asked: 502, or 503 or 504 where that says more."""
    return Deny(error.reason, _UNASKED.get(error.reason, 502), "the GUI could not be asked", entry)


def refusal(deny: Deny, request: Request | None, path: str, request_id: str, *, always_200: bool) -> Answer:
    """`path`: below the base path. `always_200`: API clients get 401 and 403 as 200, as the product answers."""
    if request is not None and wants_page(request):
        return _page(deny, request, request_id)
    answer = _for_client(deny, request, path, request_id)
    if always_200 and answer.status in {401, 403}:
        return Answer(200, answer.body, answer.content_type, answer.headers)
    return answer


def wants_page(request: Request) -> bool:
    """A browser going somewhere, as opposed to a script or the GUI's own calls."""
    headers = request.headers
    if headers.get("x_requested_with") or headers.get("sec_fetch_dest", "document") not in {"document", "iframe"}:
        return False
    return "text/html" in headers.get("accept", "")


def _page(deny: Deny, request: Request, request_id: str) -> Answer:
    if deny.reason is Reason.NO_SESSION and request.method == "GET":
        here = encode.path(request.path).decode()
        # A password in an address must not live on in the next one.
        if request.fields and not any(map(canonical.is_secret, request.fields)):
            pairs = [(name, encode.as_text(value)) for name, value in request.fields.items()]
            here += "?" + encode.query(pairs).decode()
        return Answer(303, headers=(("location", "/authgw/login?next=" + quote(here, safe="")),))
    t = reader(request.headers.get("accept_language", ""), request.cookies)
    return ui.refusal_page(deny.status, deny.reason, deny.detail, request_id, t)


def _for_client(deny: Deny, request: Request | None, path: str, request_id: str) -> Answer:
    if deny.status == 401 and deny.reason is Reason.NO_SESSION:
        return as_json(401, {"success": False, "error": {"type": _session_error(request)}})
    if deny.status == 403 and path in _PRODUCT_TEXT:
        return as_text(403, "access denied")
    if deny.status == 404:
        return as_json(404, {"success": False, "error": deny.detail})
    said = {"success": False, "error": deny.detail, "reason": deny.reason.value}
    headers: tuple[tuple[str, str], ...] = ()
    if deny.status == 403:
        said = {"success": False, "error": "access denied", "detail": deny.detail, "reason": deny.reason.value}
    if deny.status == 403 or deny.status >= 500:
        said["request_id"] = request_id
    if deny.status in {408, 413}:
        # The rest of the body is not waited for.
        headers = (("connection", "close"),)
    if deny.status == 503:
        headers = (("retry-after", RETRY_SECONDS),)
    return as_json(deny.status, said, headers)


def _session_error(request: Request | None) -> str:
    """The GUI's own calls are told to go to the start page, everybody else that there is no session."""
    xhr = request is not None and request.headers.get("x_requested_with", "").lower() == "xmlhttprequest"
    return "kill_session" if xhr else "no_session"
