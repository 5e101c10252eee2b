"""PHP's habits, sessions and headers: what a gateway in front has to live with."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from authgw.demo.php import floatval, intval, name_of, variables

SQL = "/php/model/sql.php"
NO_SESSION = {"success": False, "error": {"type": "no_session"}}
PASSWORD = "service-password"


@pytest.mark.parametrize(
    ("given", "number"),
    [
        ("12", 12), ("12abc", 12), (" 12", 12), ("12.9", 12), ("1e1", 10), ("+12", 12), ("-3", -3), ("abc", 0),
        ("", 0), ("0x1A", 0), (".5", 0), (None, 0), (True, 1), (12, 12), ("99999999999999999999", 2**63 - 1),
        ("-99999999999999999999", -(2**63)), ("1e999", 2**63 - 1), ([], 0), ("9007199254740993", 9007199254740993),
    ],
)  # fmt: skip
def test_text_as_integer(given: object, number: int) -> None:
    """Text becomes the number that PHP's (int) makes of it."""
    assert intval(given) == number


def test_text_as_float() -> None:
    """Text becomes the number that PHP's (float) makes of it, and is always finite."""
    values = [floatval(text) for text in ("1.5abc", " -2e1", "x", "1e400")]
    assert values[:3] == [1.5, -20.0, 0.0]
    assert values[3] < float("inf")


def test_names_of_variables() -> None:
    """Dots and spaces become underscores, brackets make arrays, the last duplicate wins."""
    assert [name_of(name) for name in ("a.b", "a b", " a", "a[", "a[0]")] == ["a_b", "a_b", "a", "a_", "a[]"]
    assert variables("a=1&a=2&b.c=3&d[]=4&d[]=5&=6&e") == {"a": "2", "b_c": "3", "d": ["4", "5"], "e": ""}
    assert len(variables("&".join(f"v{n}=1" for n in range(1200)))) == 1000


def test_post_wins_over_get_and_the_last_duplicate_wins(client: TestClient) -> None:
    """The id of the body is asked for, of two ids the later one, and "14abc" is 14."""
    single = f"{SQL}?module=CDR&task=SINGLEROW"
    assert client.post(f"{single}&ID=1", data={"ID": "14"}).json()["results"][0]["ID"] == "14"
    assert client.get(f"{single}&ID=1&ID=14").json()["results"][0]["ID"] == "14"
    assert client.get(f"{single}&ID=14abc").json()["results"][0]["ID"] == "14"
    assert client.get(f"{single}&ID[]=14").json()["total"] == "0"


def test_every_way_to_log_in() -> None:
    """GET, POST with a query and an empty JSON body, urlencoded, multipart and JSON all log in."""
    from authgw.demo.upstream import build

    client = TestClient(build(None, "authgw", PASSWORD))
    query = {"module": "bypass_login", "user": "authgw", "pass": PASSWORD}
    parts = {name: (None, value) for name, value in query.items()}
    replies = [
        client.get(SQL, params=query),
        client.post(SQL, params=query),
        client.post(SQL, params=query, json={}),
        client.post(SQL, data=query),
        client.post(SQL, files=parts),
        client.post(SQL, json=query),
        client.post(SQL, content=str(query).replace("'", '"'), headers={"content-type": "text/plain"}),
    ]
    for reply in replies:
        body = reply.json()
        assert re.fullmatch(r"[0-9a-v]{26}", body.pop("SID"))
        assert body == {"cookie_name": "PHPSESSID", "success": True, "_vm_version": 240034, "_debug": False}
    assert len({reply.json()["SID"] for reply in replies}) == len(replies)


@pytest.mark.parametrize("query", ["user=authgw&pass=wrong", "user=other&pass=service-password", "user=authgw", ""])
def test_a_wrong_login_is_answered_with_200(client: TestClient, query: str) -> None:
    """Wrong credentials are refused in the product's words, status 200."""
    reply = client.post(f"{SQL}?module=bypass_login&{query}")
    assert (reply.status_code, reply.json()["error"]) == (200, "Invalid username or password.")
    assert reply.json()["success"] is False


@pytest.mark.parametrize(
    "url",
    [
        f"{SQL}?task=LISTING&module=CDR&fdatefrom=2026-01-01", f"{SQL}?module=CDR&task=SINGLEROW&ID=14",
        f"{SQL}?task=LISTING&module=sensors", f"{SQL}?task=TOTAL&module=CDR&fdatefrom=2026-01-01",
        "/php/pcap.php?id=14", "/php/pcap2text.php?action=brief&id=14", "/php/pcap2wav.php?id=4&action=wav",
        "/php/4.wav",
    ],
)  # fmt: skip
def test_nothing_without_a_session(client: TestClient, url: str) -> None:
    """Without a session, with an unknown one and after the logout, every call answers no_session."""
    for cookie in ("", "PHPSESSID=0123456789abcdefghij012345"):
        assert client.get(url, headers={"cookie": cookie}).json() == NO_SESSION
    assert client.get(url).content != b'{"success":false,"error":{"type":"no_session"}}'
    client.get(f"{SQL}?module=logout")
    assert client.get(url).json() == NO_SESSION


def test_the_start_page_ends_a_session_too(client: TestClient) -> None:
    """index.php?logout ends the session."""
    client.get("/index.php?logout")
    assert client.get(f"{SQL}?task=LISTING&module=sensors").json() == NO_SESSION


def test_other_modules_are_denied(client: TestClient) -> None:
    """What the script does not do is answered with the text access denied."""
    for query in ("module=other&task=LISTING", "module=CDR&task=other", "task=LISTING", ""):
        reply = client.get(f"{SQL}?{query}")
        assert (reply.status_code, reply.text) == (200, "access denied")


def test_warnings_before_the_json(start: Callable[..., TestClient]) -> None:
    """Every third LISTING has a PHP warning line before its JSON when told so, and none when told nothing."""
    url = f"{SQL}?task=LISTING&module=CDR&fdatefrom=2026-01-01&limit=1"
    noisy, quiet = start(warnings=3), start()
    texts = [noisy.get(url).text for _ in range(6)]
    assert ["Warning" in text for text in texts] == [False, False, True, False, False, True]
    assert texts[2].partition("{")[2] == texts[0].partition("{")[2]
    assert all(quiet.get(url).text.startswith("{") for _ in range(10))


def test_a_gui_in_a_directory(start: Callable[..., TestClient]) -> None:
    """With the base /demo the cookie has its name and path, and nothing answers outside of it."""
    client = start(base="/demo")
    assert client.get("/demo/php/model/sql.php?task=LISTING&module=sensors").json()["total"] == "4"
    login = client.get(f"/demo/php/model/sql.php?module=bypass_login&user=authgw&pass={PASSWORD}")
    assert login.json()["cookie_name"] == "PHPSESSID-demo"
    assert login.headers["set-cookie"] == f"PHPSESSID-demo={login.json()['SID']}; path=/demo"
    for path in ("/php/model/sql.php", "/", "/demo", "/demonstration/admin.php"):
        assert client.get(path).status_code == 404


def test_headers_that_are_not_for_outside(client: TestClient) -> None:
    """Answers set the session cookie and name PHP and the server; the first cookie of a name is the one read."""
    sid = client.headers["cookie"].partition("=")[2]
    reply = client.get(f"{SQL}?task=LISTING&module=sensors", headers={"cookie": f"PHPSESSID={sid}; PHPSESSID=x"})
    assert reply.json()["success"] is True
    assert reply.headers["set-cookie"] == f"PHPSESSID={sid}; path=/"
    assert reply.headers["x-powered-by"].startswith("PHP/")
    late = client.get(f"{SQL}?task=LISTING&module=sensors", headers={"cookie": f"PHPSESSID=x; PHPSESSID={sid}"})
    assert late.json() == NO_SESSION


def test_json_is_written_as_php_writes_it(client: TestClient) -> None:
    """Slashes are escaped and everything is ASCII."""
    body = client.get(f"{SQL}?task=LISTING&module=CDR&fdatefrom=2026-01-01&limit=5000").content
    assert body.isascii()
    assert b"Acme-Softphone\\/1.9.3" in body
    assert b"Zo\\u00eb" in body


def test_paths_that_are_no_script(client: TestClient) -> None:
    """Other paths, and a script with something behind it, are not found."""
    for path in ("/php/model/sql.php/x", "/php/upgrade.php", "/admin.php/", "/php/-1.wav", "/../etc/passwd"):
        assert client.get(path).status_code == 404
