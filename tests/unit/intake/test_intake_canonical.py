"""The readable form."""

from __future__ import annotations

import pytest

from authgw.intake.canonical import is_secret, render
from authgw.intake.request import Body, Request

REQUEST = Request(
    method="POST",
    head=False,
    path="/php/api.php",
    fields={"task": "getVoipCalls", "password": "hunter2", "user": "alice", "params": {"cdrId": 1}, "x": "a\nb\u202ec"},
    body=Body.JSON,
    headers={"host": "gw", "authorization": "Basic hunter2"},
    cookies={"PHPSESSID": ("hunter2", "hunter3")},
    address="192.0.2.1",
)


def test_a_request_is_shown_whole_but_for_its_secrets() -> None:
    """Fields, headers and cookies, one line each; nothing that opens anything; no control characters."""
    lines = render(REQUEST)
    text = "\n".join(lines)
    assert "hunter" not in text
    assert all(line.isprintable() for line in lines)
    assert lines[0] == "POST /php/api.php"
    for line in (
        "field  task = getVoipCalls",
        "field  user = alice",
        'field  params = {"cdrId":1}',
        "header host = gw",
    ):
        assert line in lines


@pytest.mark.parametrize(
    "name", ["pass", "password", "user_hash", "otp", "code2fa", "api_token", "PASSWORD", "old_password"]
)
def test_secret_fields_are_known_by_name(name: str) -> None:
    """Whatever may carry a credential."""
    assert is_secret(name)


@pytest.mark.parametrize("name", ["task", "module", "user", "fcaller", "id", "params", "fsensor_id"])
def test_other_fields_are_shown(name: str) -> None:
    """An explanation that hides what was asked explains nothing."""
    assert not is_secret(name)
