"""Every example line of the vendor's Web API description, by a user without row scope and by one with."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from authgw.rights.claims import Grant, Scope
from kit.servers import need
from kit.vendor import Line, Runner, Said, lines
from kit.world import World, world
from oracle.data import VOIP, records_of
from oracle.formula import call_of, visible

RECORDS = records_of(VOIP)
# A call of acme's with audio.
RECORD = next(
    record
    for record in RECORDS
    if record["wav"] and "acme.example" in (record["caller_domain"], record["called_domain"])
)
FLAGS = [
    "can_cdr", "can_pcap", "can_download_audio", "can_activecalls", "can_listen_active_call", "can_report_functions",
    "can_cdr_share_local_public", "can_cdr_share_local_private", "can_cdr_share_voipmonitor_org",
]  # fmt: skip
ALL = dict.fromkeys(FLAGS, True)
USERS = [
    {"username": "whole", "password": "secret", "id": 1, **ALL},
    {"username": "acme", "password": "secret", "id": 2, **ALL, "domain": ["acme.example"]},
]
GRANTS = {"whole": [Grant()], "acme": [Grant(scope=Scope(domain=("acme.example",)))]}
LINES = lines()
BASES = sorted({line.base for line in LINES})
# The dates of the examples are those of the records, whenever this runs: no bound on days.
POLICY = {"files": ["voipmonitor"], "scan_days": 0}


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, World]]:
    """A site for each folder that the description has the GUI in."""
    need("curl")
    with ExitStack() as stack:
        yield {
            base: stack.enter_context(world(tmp_path_factory.mktemp("vendor"), users=USERS, base=base, policy=POLICY))
            for base in BASES
        }


@pytest.fixture(scope="module", params=list(GRANTS))
def user(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def runners(user: str, sites: dict[str, World], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Runner]:
    return {base: runner(site, user, tmp_path_factory.mktemp("out")) for base, site in sites.items()}


def runner(site: World, user: str, out: Path) -> Runner:
    """The user with a session of a script and one of a browser, and what stands for the examples' names."""
    said = httpx2.get(f"{site.url}/php/model/sql.php?module=bypass_login&user={user}&pass=secret").json()
    params = {"task": "listActiveCalls", "user": user, "password": "secret", "params": {}}
    rows = httpx2.post(f"{site.url}/php/api.php", json=params).json()
    active = next(row for row in rows if row["id_sensor"] is not None)
    names = {
        "URL": site.url, "USER": user, "PASSWORD": "secret", "COOKIE": said["cookie_name"], "SID": said["SID"],
        "ID": str(RECORD["ID"]), "CALL": RECORD["fbasename"], "REF": active["callreference"],
        "SENSOR": str(active["id_sensor"]),
    }  # fmt: skip
    script = f"{said['cookie_name']}={said['SID']}"
    return Runner(site, names, script, out)


def in_a_browser(one: Runner) -> Runner:
    """The same user, signed in on the login page."""
    with httpx2.Client(base_url=one.site.gateway.url) as browser:
        form = re.search(r'name="form" value="([^"]+)"', browser.get("/authgw/login").text)
        assert form is not None
        fields = {"form": form[1], "user": one.names["USER"], "password": "secret"}
        browser.post("/authgw/login", data=fields, headers={"origin": one.site.gateway.url})
        return Runner(one.site, one.names, f"authgw={browser.cookies['authgw']}", one.folder)


# ---------------------------------------------------------------- what is expected in the replies


def seen(user: str, *callers: str, either: bool = False) -> list[int]:
    """Ids of the user's calls from these numbers; `either`: or to them."""
    columns = ("caller", "called") if either else ("caller",)
    return sorted(
        record["ID"]
        for record in RECORDS
        if visible(GRANTS[user], call_of(record)) and any(record[column] in callers for column in columns)
    )


def a_session(one: Runner, said: Said) -> None:
    answer = json.loads(said.body)
    assert (answer["success"], answer["cookie_name"]) == (True, one.names["COOKIE"])
    assert (type(answer["_vm_version"]), answer["_debug"]) == (int, False)
    assert len(answer["SID"]) >= 43


def the_calls_of_1001(one: Runner, said: Said) -> None:
    reply, expected = json.loads(said.body), seen(one.names["USER"], "1001", either=True)
    found = [int(row["ID"]) for row in reply["results"]]
    assert (len(found), int(reply["total"])) == (min(30, len(expected)), len(expected))
    assert found
    assert set(found) <= set(expected)


def the_calls_from(*callers: str) -> Callable[[Runner, Said], None]:
    def check(one: Runner, said: Said) -> None:
        rows = json.loads(said.body)
        assert sorted(int(row["cdrId"]) for row in rows) == seen(one.names["USER"], *callers)
        # The names of headers stand in the last element of the example.
        assert all("X-Tenant" in row for row in rows if row["caller"] == callers[-1])

    return check


def the_capture(one: Runner, said: Said) -> None:
    assert said.body == (VOIP / "pcaps" / f"{RECORD['ID']}.pcap").read_bytes()


def the_capture_in_an_archive(one: Runner, said: Said) -> None:
    archive = zipfile.ZipFile(io.BytesIO(said.body))
    assert [archive.read(name) for name in archive.namelist()] == [
        (VOIP / "pcaps" / f"{RECORD['ID']}.pcap").read_bytes()
    ]


def the_sound(one: Runner, said: Said) -> None:
    assert said.body == (VOIP / RECORD["wav"]).read_bytes()


def the_sound_from_the_answer_on(one: Runner, said: Said) -> None:
    assert said.body[:4] == b"RIFF"
    assert 44 < len(said.body) < (VOIP / RECORD["wav"]).stat().st_size


def calls_under_way(one: Runner, said: Said) -> None:
    rows = json.loads(said.body)
    assert {str(row["id_sensor"]) for row in rows} == {one.names["SENSOR"]}
    domains = [{row["callerdomain"], row["calleddomain"]} for row in rows]
    assert one.names["USER"] == "whole" or all("acme.example" in both for both in domains)


def done(one: Runner, said: Said) -> None:
    assert json.loads(said.body)["success"] is True


def a_report(one: Runner, said: Said) -> None:
    assert b"test summary" in said.body


def link(said: Said) -> str:
    found: dict[str, Any] = json.loads(said.body)
    return next(text for text in found.values() if isinstance(text, str) and text.startswith("http"))


def a_link_for_anybody(*, sound: bool, capture: bool = True) -> Callable[[Runner, Said], None]:
    def check(one: Runner, said: Said) -> None:
        """It leads to the gateway, shows the call to anybody, and has the files that it was made with."""
        assert link(said).startswith(one.site.url)
        assert f"Call {RECORD['ID']}" in httpx2.get(link(said)).text
        files = [httpx2.get(f"{link(said)}&{name}={RECORD['ID']}").content for name in ("pcap", "audio")]
        assert (files[0][:4] == b"\xd4\xc3\xb2\xa1", files[1][:4] == b"RIFF") == (capture, sound)

    return check


def a_link_for_users(one: Runner, said: Said) -> None:
    assert link(said).startswith(one.site.url)
    assert httpx2.get(link(said)).status_code == 401
    assert f"Call {RECORD['ID']}" in httpx2.get(link(said), headers={"cookie": one.cookie}).text


def a_link_to_the_vendors_server(one: Runner, said: Said) -> None:
    assert not link(said).startswith(one.site.url)


def five_ids(one: Runner, said: Said) -> None:
    mine = sorted(record["ID"] for record in RECORDS if visible(GRANTS[one.names["USER"]], call_of(record)))
    assert [int(row["cdrId"]) for row in json.loads(said.body)] == [id for id in mine if id >= RECORD["ID"]][:5]


def a_page(one: Runner, said: Said) -> None:
    assert b"<html" in said.body


def messages_as_json(one: Runner, said: Said) -> None:
    reply = json.loads(said.body)
    assert (reply["success"], reply["total"]) == (True, len(reply["results"]))
    assert reply["results"][0]["msg"].startswith("INVITE ")


def holds(part: bytes) -> Callable[[Runner, Said], None]:
    def check(one: Runner, said: Said) -> None:
        assert part in said.body

    return check


def status_and_message(one: Runner, said: Said) -> None:
    reply = json.loads(said.body)
    assert (type(reply["status"]), type(reply["message"])) == (int, str)


REPLIES: dict[str, Callable[[Runner, Said], None]] = {
    "a session": a_session,
    "the calls of 1001": the_calls_of_1001,
    "the calls from 1001": the_calls_from("1001"),
    "the calls from 1001 and 1002": the_calls_from("1001", "1002"),
    "the capture": the_capture,
    "the capture in an archive": the_capture_in_an_archive,
    "the sound": the_sound,
    "the sound from the answer on": the_sound_from_the_answer_on,
    "calls under way on the sensor": calls_under_way,
    "done": done,
    "a report": a_report,
    "a link for anybody with sound": a_link_for_anybody(sound=True),
    "a link for anybody without sound": a_link_for_anybody(sound=False),
    "a link for anybody to the history": a_link_for_anybody(sound=False, capture=False),
    "a link for users": a_link_for_users,
    "a link to the vendor's server": a_link_to_the_vendors_server,
    "five ids from there on": five_ids,
    "a page": a_page,
    "messages as JSON": messages_as_json,
    "messages as a table": holds(b"<table"),
    "messages as a diagram": holds(b"<svg"),
    "status and message": status_and_message,
}


@pytest.mark.parametrize(
    "line", LINES, ids=[f"{at + 1} line {line.number} {line.call}" for at, line in enumerate(LINES)]
)
def test_the_line_is_answered(runners: dict[str, Runner], user: str, line: Line) -> None:
    """With the status and the reply that the table states for this user."""
    one = runners[line.base]
    said = (in_a_browser(one) if line.reply == "a page" else one).run(line)
    assert said.status == line.statuses[user], said.body[:300]
    if said.status == 200:
        REPLIES[line.reply](one, said)
    else:
        assert json.loads(said.body)["reason"] in {"unscoped_only", "pages_not_served"}


def test_every_example_of_the_description_is_a_row() -> None:
    """Counted line by line in the vendor's text: commands, addresses, fields of a share, direct links."""
    text = Path(__file__).parents[1] / "data" / "web-api.txt"
    found: Counter[int] = Counter()
    for number, line in enumerate(text.read_text("utf-8").splitlines(), 1):
        commands = len(re.findall(r"curl -X |echo '\{", line))
        found[number] = commands or len(re.findall(r"https?://|^task=shareCdr|index\.php\?activecalls", line))
    assert +found == Counter(line.number for line in LINES)
    assert len(LINES) == 45
