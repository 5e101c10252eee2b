"""How a refusal looks to those who get it."""

from __future__ import annotations

import json

import pytest

from authgw.answer import Answer
from authgw.intake.request import Body, Request
from authgw.policy.decision import Deny
from authgw.present import refusal
from authgw.reasons import Reason

SQL, API, PCAP = "/php/model/sql.php", "/php/api.php", "/php/pcap.php"
BROWSER = {"accept": "text/html,*/*", "sec_fetch_dest": "document"}
XHR = {"accept": "text/html", "x_requested_with": "XMLHttpRequest"}
NO_SESSION = Deny(Reason.NO_SESSION, 401, "there is no live session")
NO_FLAG = Deny(Reason.MISSING_FLAG, 403, "no grant has can_pcap")


def shown(deny: Deny, path: str, headers: dict[str, str] | None = None, *, always_200: bool = False) -> Answer:
    request = Request("GET", False, path, {"id": "1 2"}, Body.NONE, headers or {}, {}, "127.0.0.1")
    return refusal(deny, request, path, "abc123", always_200=always_200)


def test_no_session() -> None:
    """Scripts are told no_session, the GUI's own calls kill_session; people are sent to the login and back."""
    assert json.loads(shown(NO_SESSION, SQL).body) == {"success": False, "error": {"type": "no_session"}}
    assert json.loads(shown(NO_SESSION, SQL, XHR).body) == {"success": False, "error": {"type": "kill_session"}}
    page = shown(NO_SESSION, PCAP, BROWSER)
    assert page.status == 303
    assert page.headers[0][1].startswith("/authgw/login?next=%2Fphp%2Fpcap.php%3Fid%3D")


def test_refused_as_the_product_says_it() -> None:
    """sql.php and utilities.php say "access denied" word for word; other calls add the reason and the support code."""
    assert (shown(NO_FLAG, SQL).status, shown(NO_FLAG, SQL).body) == (403, b"access denied")
    said = json.loads(shown(NO_FLAG, PCAP).body)
    assert (said["error"], said["reason"], said["request_id"]) == ("access denied", "missing_flag", "abc123")


@pytest.mark.parametrize("deny", [NO_SESSION, NO_FLAG])
def test_clients_that_want_200(deny: Deny) -> None:
    """The setting restores 200 for API clients, with the same bodies."""
    assert shown(deny, SQL, always_200=True).status == 200
    assert shown(deny, SQL, always_200=True).body == shown(deny, SQL).body


def test_what_does_not_exist_looks_the_same_each_time() -> None:
    """A 404 holds nothing but the product's words."""
    deny = Deny(Reason.NOT_FOUND, 404, "cdr id 7 does not exist", "pcap")
    assert shown(deny, PCAP).body == b'{"success":false,"error":"cdr id 7 does not exist"}'


def test_outages_say_when_to_come_back() -> None:
    """503 carries Retry-After and the support code."""
    answer = shown(Deny(Reason.STORE_UNAVAILABLE, 503, "later"), API)
    assert dict(answer.headers)["retry-after"]
    assert json.loads(answer.body)["request_id"] == "abc123"


def test_people_get_a_page() -> None:
    """A browser's own navigation is answered with a page that shows the support code."""
    answer = shown(NO_FLAG, PCAP, BROWSER)
    assert answer.status == 403
    assert answer.content_type.startswith("text/html")
    assert b"abc123" in answer.body
