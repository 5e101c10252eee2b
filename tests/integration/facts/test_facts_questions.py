"""How many questions a list of calls costs the GUI, counted: with its own answers, and with the database's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from authgw.catalogue.load import load
from authgw.catalogue.model import Rows
from authgw.narrow.facts import CallFacts
from authgw.narrow.facts_gui import GuiFacts
from authgw.narrow.judge import Judge
from authgw.narrow.rows import Reader
from authgw.narrow.scope import Facts, compile_scope
from authgw.narrow.sieve import Sieve
from authgw.narrow.source import UpstreamSource
from authgw.rights.claims import Grant, HeaderLine, Scope
from authgw.upstream.account import Account
from authgw.upstream.api import Call
from authgw.upstream.asking import LeasedReply
from authgw.upstream.client import Base, Client
from kit.call_tables import fill
from kit.facts import telling
from kit.gateway import SERVICE_PASSWORD
from kit.mariadb import MariaDb
from kit.world import lookalike
from oracle.data import VOIP_V6, records_of
from oracle.formula import call_of, visible

CALLS = 460
SCOPES = {
    "sensors": Scope(sensors=(11,)),
    "networks": Scope(ip=("fd00:a::/64", "127.0.10.0/24")),
    "vlan": Scope(vlan=(100,)),
    "headers": Scope(headers_cdr=(HeaderLine(0, "X-Tenant", "acme"),)),
}
ASKED = Call("POST", "/php/api.php", credentials=True, decode=True)


class CountingUpstream:
    """The GUI, with what it was asked by: LISTING, SINGLEROW, getVoipCalls."""

    def __init__(self, url: str) -> None:
        self._account = Account(Client(Base.from_url(url)), "authgw", SERVICE_PASSWORD)
        self.tasks: list[str] = []

    async def send(self, call: Call) -> LeasedReply:
        self.tasks.append(dict(call.fields)["task"])
        return await self._account.send(call)

    async def close(self) -> None:
        await self._account.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """460 calls: the real ones again and again, under new ids."""
    target = tmp_path_factory.mktemp("many")
    records = records_of(VOIP_V6)
    many = [{**records[at % len(records)], "ID": 5000 + at} for at in range(CALLS)]
    (target / "cdr.jsonl").write_text("".join(json.dumps(record) + "\n" for record in many))
    (target / "sensors.jsonl").write_bytes((VOIP_V6 / "sensors.jsonl").read_bytes())
    return target


@pytest.fixture(scope="module")
def url(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with lookalike(tmp_path_factory.mktemp("gui"), folder) as found:
        yield found


def voip_calls() -> Rows:
    """The rows of getVoipCalls, as the shipped policy describes them."""
    (entry,) = [entry for entry in load(["voipmonitor"], Path()).entries if entry.name == "api-get-voip-calls"]
    assert entry.rows is not None
    return entry.rows


async def shown(upstream: CountingUpstream, facts: CallFacts, scope: Scope) -> list[int | None]:
    """The ids of all calls that getVoipCalls shows under that scope."""
    source = UpstreamSource(upstream, ASKED, facts, 64 << 20)
    fields: Mapping[str, str] = {"task": "getVoipCalls", "params": '{"startTime":"2026-11-23"}'}
    rows = Reader(voip_calls()).page(await source.fetch(fields)).rows
    assert len(rows) == CALLS
    judge = Judge([compile_scope(scope)], [frozenset()])
    return [row.id for row, _ in await Sieve(voip_calls(), judge, source).keep(rows)]


def expected(folder: Path, scope: Scope) -> list[int]:
    """By the formula, in the order of time and id."""
    records = [record for record in records_of(folder) if visible([Grant(scope=scope)], call_of(record))]
    return [record["ID"] for record in sorted(records, key=lambda record: (record["calldate"], record["ID"]))]


@pytest.mark.anyio
@pytest.mark.parametrize("scope", SCOPES)
async def test_from_the_gui(scope: str, url: str, folder: Path) -> None:
    """What a list of their time tells is one question for all rows; vlan and headers are one for each row."""
    upstream = CountingUpstream(url)
    facts = CallFacts(GuiFacts(upstream), lambda: 0.0)
    try:
        assert await shown(upstream, facts, SCOPES[scope]) == expected(folder, SCOPES[scope])
        lists, rows = upstream.tasks.count("LISTING"), upstream.tasks.count("SINGLEROW")
        assert (lists, rows) == ((1, CALLS) if scope in {"vlan", "headers"} else (1, 0))
        await shown(upstream, facts, SCOPES[scope])
        assert upstream.tasks.count("SINGLEROW") == rows
        assert upstream.tasks.count("LISTING") == lists
    finally:
        await upstream.close()


@pytest.mark.anyio
async def test_from_the_database(
    url: str, folder: Path, real_mariadb: MariaDb, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One SELECT for all rows and all users who ask at the same moment; the GUI is asked for nothing but the list."""
    upstream = CountingUpstream(url)
    async with telling(fill(real_mariadb, "facts_questions", folder, ipv6=True)) as database:
        questions, tell = list[int](), database.tell

        async def counted(call_ids: Sequence[int]) -> Mapping[int, Facts | None]:
            questions.append(len(call_ids))
            return await tell(call_ids)

        monkeypatch.setattr(database, "tell", counted)
        facts = CallFacts(database, lambda: 0.0)
        try:
            found = await asyncio.gather(*(shown(upstream, facts, scope) for scope in SCOPES.values()))
        finally:
            await upstream.close()
    assert found == [expected(folder, scope) for scope in SCOPES.values()]
    assert upstream.tasks == ["getVoipCalls"] * len(SCOPES)
    assert sum(questions) == CALLS
    assert len(questions) <= len(SCOPES)
