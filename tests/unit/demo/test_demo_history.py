"""pcap2text.php: SIP history as JSON, table and ladder."""

from __future__ import annotations

import json
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

URL = "/php/pcap2text.php"
KEYS = [
    "num", "time", "src", "dst", "srcip", "dstip", "srcport", "dstport", "packet_len", "direction", "protocol",
    "spec_type", "msg", "type",
]  # fmt: skip


def brief(client: TestClient, call: int, **fields: str) -> dict[str, Any]:
    query = {"action": "brief_data", "id": str(call), "dns_lookup": "0", **fields}
    reply: dict[str, Any] = client.get(URL, params=query).json()
    return reply


def test_brief_data_has_the_vendors_form(client: TestClient) -> None:
    """The reply has the documented members in their order, numbers as text where the vendor's are."""
    reply = brief(client, 4)
    assert list(reply) == ["results", "total", "errors", "success", "_debug"]
    assert (reply["total"], reply["errors"], reply["success"], reply["_debug"]) == (7, {}, True, False)
    first, last = reply["results"][0], reply["results"][-1]
    assert list(first) == KEYS
    assert first == {
        "num": "1", "time": 0, "src": "127.0.20.12", "dst": "127.0.99.1", "srcip": "127.0.20.12",
        "dstip": "127.0.99.1", "srcport": "5060", "dstport": "5060", "packet_len": "651", "direction": "-->",
        "protocol": "SIP/SDP", "spec_type": None, "type": "request",
        "msg": "INVITE sip:+493023125011@carrier-a.example len:651",
    }  # fmt: skip
    assert (last["num"], last["msg"], last["type"], last["protocol"]) == ("7", "200 OK len:315", "response", "SIP")
    assert last["time"] == pytest.approx(5.374, abs=0.001)


@pytest.mark.parametrize("folder", ["voip", "voip6"])
def test_every_call_has_its_messages(request: pytest.FixtureRequest, folder: str) -> None:
    """Each call's messages are those of sip_history.jsonl; an INVITE carries SDP, a 100 Trying never."""
    client: TestClient = request.getfixturevalue("client" + folder[4:])
    data: Path = request.getfixturevalue(folder)
    for line in map(json.loads, (data / "sip_history.jsonl").read_text().splitlines()):
        results = brief(client, line["cdr_id"])["results"]
        expected = [(m["src"], m["dst"], str(m["length"])) for m in line["messages"]]
        assert [(row["src"], row["dst"], row["packet_len"]) for row in results] == expected
        assert results[0]["protocol"] == "SIP/SDP"
        assert all(row["protocol"] == "SIP" for row in results if row["msg"].startswith("100 Trying"))


def test_hidden_addresses(client: TestClient, client6: TestClient) -> None:
    """ip_not_allowed takes hosts and networks of both families; messages that touch them are gone."""
    assert brief(client, 4, ip_not_allowed="127.0.99.1")["total"] == 0
    assert brief(client, 4, ip_not_allowed="10.0.0.0/8, 127.0.20.0/24")["results"] == []
    assert brief(client, 4, ip_not_allowed="10.0.0.0/8,nonsense,")["total"] == 7
    assert brief(client6, 7, ip_not_allowed="fd00::/16")["total"] == 0
    assert brief(client6, 7, ip_not_allowed="fd01::/16")["total"] > 0


class Texts(HTMLParser):
    """Tags and texts of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_table_and_ladder(client: TestClient) -> None:
    """brief is a table with a row per message, getMSC a ladder with an arrow per message and a lane per party."""
    table = client.get(URL, params={"action": "brief", "id": "4"})
    assert table.headers["content-type"].startswith("text/html")
    assert Texts(table.text).tags.count("tr") == 8
    ladder = Texts(client.get(URL, params={"action": "getMSC", "id": "4"}).text)
    assert ladder.tags.count("line") == 7 + 2
    assert "127.0.20.12 : 5060" in ladder.texts


@pytest.mark.parametrize("action", ["brief", "getMSC"])
def test_hostile_lines_stay_text(
    start: Callable[..., TestClient], tmp_path: Path, records: list[dict[str, Any]], action: str
) -> None:
    """Markup in a SIP message's first line is shown, never interpreted."""
    hostile = '<script>alert(1)</script>"&'
    message = {
        "epoch": 1.0, "src": "127.0.0.1", "src_port": 5060, "dst": "127.0.0.2", "dst_port": 5060,
        "status_code": None, "line": f"INVITE {hostile} SIP/2.0", "length": 9,
    }  # fmt: skip
    (tmp_path / "cdr.jsonl").write_text(json.dumps(records[0]))
    (tmp_path / "sip_history.jsonl").write_text(json.dumps({"cdr_id": records[0]["ID"], "messages": [message]}))
    page = Texts(start(tmp_path).get(URL, params={"action": action, "id": records[0]["ID"]}).text)
    assert "script" not in page.tags
    assert any(hostile in text for text in page.texts)


def test_refusals(client: TestClient) -> None:
    """An unknown call and an unknown action are refused with status 200."""
    assert brief(client, 236) == {"success": False, "error": "cdr id 236 does not exist"}
    assert client.get(URL, params={"action": "x", "id": "4"}).json()["success"] is False
