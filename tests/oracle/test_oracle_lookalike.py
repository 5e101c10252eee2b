"""The requests' meaning held against the look-alike itself, no gateway between: both must read them alike."""

from __future__ import annotations

from pathlib import Path
from random import Random

import httpx2
import pytest

from authgw.demo.upstream import build
from authgw.rights.claims import Claims, Grant
from oracle import requests
from oracle.api import cdr_ids, voip_calls
from oracle.case import Case, Tally
from oracle.data import VOIP, VOIP_V6, derive
from oracle.lists import listing, sensors
from oracle.run import chosen_seed
from oracle.site import visit

SEES_ALL = Claims(login="static", user="all", id=1, grants=(Grant(frozenset({"can_cdr"})),))
CASES = 60


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["voip", "voip-v6", "odd", "odd-v6"])
async def test_the_look_alike_reads_requests_as_the_oracle_does(name: str, tmp_path: Path) -> None:
    """Rows, totals, order and pages of random unscoped requests equal a loop over the records."""
    seed = chosen_seed()
    print(f"seed {seed}")
    folder = VOIP_V6 if name.endswith("v6") else VOIP
    if name.startswith("odd"):
        folder = derive(folder, tmp_path / name, Random(f"{seed} {name}"))
    app = build(folder, "authgw", "secret", warnings=0)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://site") as http:
        login = {"module": "bypass_login", "user": "authgw", "pass": "secret"}
        answer = (await http.post("/php/model/sql.php", data=login)).json()
        http.cookies.clear()
        http.headers["cookie"] = cookie = f"{answer['cookie_name']}={answer['SID']}"
        site = await visit(folder, http)
        for number in range(CASES):
            random = Random(f"{seed} {name} {number}")
            case = Case(site, SEES_ALL, http, cookie, random, Tally())
            await listing(case, requests.listing(random, site.records, site.sensors, simple=False))
            await voip_calls(case)
            await cdr_ids(case)
        await sensors(case)
