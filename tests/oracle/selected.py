"""What selectors bring: captures, recordings and share links by id, Call-ID and header, also within an interval."""

from __future__ import annotations

import io
import json
import re
import struct
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx2

from authgw.rights.claims import Grant
from oracle.case import Case
from oracle.data import Record
from oracle.formula import HEADER, allowed, shown_by, unreduced, visible
from oracle.site import signalling

API = "/php/api.php"
SHARE = "can_cdr_share_local_public"


@dataclass(frozen=True)
class Wanted:
    """An element of params, and the calls that it means where everybody's are visible, in the order of preference."""

    element: dict[str, Any]
    meant: Sequence[Record]
    interval: int

    def legs(self, grants: Sequence[Grant], case: Case, *, all_legs: bool = False) -> list[Record]:
        """Those visible under the grants: the first and its near legs, or the first, or all of them."""
        seen = [record for record in self.meant if visible(grants, case.site.calls[record["ID"]])]
        if not seen or not self.interval:
            return seen if all_legs else seen[:1]
        same = [
            record for record in case.site.records if record["callid"] == seen[0]["callid"] and record is not seen[0]
        ]
        near = [record for record in in_time(same) if abs(began(record) - began(seen[0])) <= self.span]
        return [seen[0], *(record for record in near if visible(grants, case.site.calls[record["ID"]]))]

    @property
    def span(self) -> timedelta:
        return timedelta(seconds=self.interval)

    @property
    def by_id(self) -> bool:
        return "cdrId" in self.element


def began(record: Record) -> datetime:
    return datetime.fromisoformat(record["calldate"])


def in_time(records: Sequence[Record]) -> list[Record]:
    return sorted(records, key=lambda record: (record["calldate"], record["ID"]))


def any_record(case: Case) -> Record:
    """One of all, of those that share their Call-ID with another, or of those that have RTP."""
    counts = Counter(record["callid"] for record in case.site.records)
    twins = [record for record in case.site.records if counts[record["callid"]] > 1]
    heard = [record for record in case.site.records if record["pcap_has_rtp"]]
    return case.random.choice(case.random.choice([case.site.records, case.site.records, twins, heard]) or heard)


def some(case: Case, record: Record, *, header: bool = True) -> Wanted:
    """A selector that means the record, perhaps among others."""
    interval = case.random.choice((0, 0, 1, 60, 86400))
    more: dict[str, Any] = {"cidInterval": interval} if interval else {}
    kinds = ["cdrId", "callId", "callId"] + ["header"] * header
    kind = case.random.choice(kinds)
    names = [key for key in record if key.startswith(HEADER) and record[key]]
    if kind == "header" and names:
        name = case.random.choice(names)
        day = record["calldate"][:10]
        same = [one for one in case.site.records if one[name] == record[name] and one["calldate"].startswith(day)]
        said = {"customHeader": name[len(HEADER) :], "customHeaderValue": record[name], "calldate": day}
        return Wanted({**said, **more}, in_time(same), interval)
    if kind == "cdrId":
        return Wanted({"cdrId": record["ID"], **more}, [record], interval)
    same = [one for one in case.site.records if one["callid"] == record["callid"]]
    return Wanted({"callId": record["callid"], **more}, in_time(same), interval)


def opening(case: Case, flag: str, wanted: Wanted, *limits: str) -> list[Grant]:
    """The grants that open the call: none of the limits in the way, and what the selector goes by is shown."""
    closed = {*limits, *(() if wanted.by_id else ("simple_cdr",))}
    return [grant for grant in allowed(case.claims.grants, flag) if not closed & grant.limits]


async def ask(case: Case, task: str, element: Mapping[str, Any]) -> httpx2.Response:
    return await case.ask(API, {"task": task, "params": json.dumps(element)})


def refused(case: Case, what: str, answer: httpx2.Response, grants: Sequence[Grant], wanted: Wanted, legs: Any) -> bool:
    """Whether the call had to be refused, or to say that there is no such call; and it was."""
    if not grants:
        case.agree(f"{what}: status ({answer.text[:200]})", answer.status_code, 403)
        return True
    if legs:
        return False
    error = f"cdr id {wanted.element['cdrId']} does not exist" if wanted.by_id else "no match cdr"
    case.agree(f"{what}: status ({answer.text[:200]})", answer.status_code, 404)
    case.agree(f"{what}: body", answer.json(), {"success": False, "error": error})
    case.tally.counts["selectors of nothing"] += 1
    return True


async def selected_captures(case: Case) -> None:
    """getPCAP: the visible legs' packets, each leg with RTP only where a grant that shows it has it."""
    wanted = some(case, any_record(case))
    options = {name: True for name in ("cidMerge", "zip") if case.random.random() < 0.4}
    grants = opening(case, "can_pcap", wanted, "simple_cdr")
    answer = await ask(case, "getPCAP", {**wanted.element, **options})
    what, legs = f"getPCAP {wanted.element} {options}", wanted.legs(grants, case)
    if refused(case, what, answer, grants, wanted, legs):
        return
    case.agree(f"{what}: status ({answer.text[:200]})", answer.status_code, 200)
    files = {f"{leg['ID']}.pcap": file_of(case, leg, grants) for leg in legs}
    if "zip" in options and ("cidMerge" not in options or len(legs) == 1):
        case.agree(f"{what}: files", archived(answer.content) == files, True)
    else:
        found = next(iter(archived(answer.content).values())) if "zip" in options else answer.content
        every = sorted(packet for file in files.values() for packet in packets(file))
        case.agree(f"{what}: packets", sorted(packets(found)) == every, True)
    case.tally.counts["captures by selector"] += 1
    case.tally.counts["captures of several legs"] += len(legs) > 1


def file_of(case: Case, record: Record, grants: Sequence[Grant]) -> bytes:
    whole = case.site.capture(record["ID"])
    shown = shown_by(grants, "can_pcap", case.site.calls[record["ID"]])
    return signalling(whole) if all("no_rtp" in grant.limits for grant in shown) else whole


async def selected_recordings(case: Case) -> None:
    """getVoiceRecording: the visible legs' audio, one as it is, several in an archive."""
    recorded = [record for record in case.site.records if record["wav"]]
    wanted = some(case, case.random.choice(recorded) if case.random.random() < 0.7 else any_record(case))
    archive = {"zip": True} if case.random.random() < 0.3 else {}
    grants = opening(case, "can_download_audio", wanted, "no_rtp")
    answer = await ask(case, "getVoiceRecording", {**wanted.element, **archive})
    what, legs = f"getVoiceRecording {wanted.element} {archive}", wanted.legs(grants, case)
    if refused(case, what, answer, grants, wanted, legs):
        return
    files = {f"{leg['ID']}.wav": (case.site.folder / leg["wav"]).read_bytes() for leg in legs if leg["wav"]}
    if not files:
        case.agree(f"{what}: status ({answer.text[:200]})", answer.status_code, 404)
        case.agree(f"{what}: body", answer.json()["error"], f"cdr id {legs[0]['ID']} has no such file")
        return
    case.agree(f"{what}: status ({answer.text[:200]})", answer.status_code, 200)
    found = archived(answer.content) if archive or len(legs) > 1 else {next(iter(files)): answer.content}
    case.agree(f"{what}: files", found == files, True)
    case.tally.counts["recordings by selector"] += 1


async def shared_calls(case: Case) -> None:
    """getShareURL and shareCdr: the page of the link shows the visible calls and no others."""
    wanted = some(case, any_record(case), header=False)
    rtp = {"rtp": True} if case.random.random() < 0.3 else {}
    grants = opening(case, SHARE, wanted, "simple_cdr", *(("no_rtp",) if rtp else ()))
    answer = await ask(case, "getShareURL", {**wanted.element, **rtp})
    what, legs = f"getShareURL {wanted.element} {rtp}", wanted.legs(grants, case, all_legs=not wanted.by_id)
    if not refused(case, what, answer, grants, wanted, legs):
        await opened(case, what, answer, [leg["ID"] for leg in legs])
    grants = unreduced(allowed(case.claims.grants, SHARE))
    ids = [record["ID"] for record in case.random.sample(case.site.records, case.random.choice((1, 1, 2)))]
    params = {"type": "share_cdr_show", "subType": "self_protected_link", "id": ids, "emailFields": None}
    answer = await case.ask("/php/model/utilities.php", {"task": "shareCdr", "params": json.dumps(params)})
    hidden = [id for id in ids if not visible(grants, case.site.calls[id])]
    if not grants or hidden:
        case.agree(f"shareCdr {ids}: status ({answer.text[:200]})", answer.status_code, 404 if grants else 403)
        return
    await opened(case, f"shareCdr {ids}", answer, ids)


async def opened(case: Case, what: str, answer: httpx2.Response, ids: Sequence[int]) -> None:
    """The link of the reply, opened by somebody without a session."""
    case.agree(f"{what}: status ({answer.text[:200]})", answer.status_code, 200)
    link = urlsplit(next(text for text in answer.json().values() if isinstance(text, str) and "://" in text))
    page = await case.http.get(f"{link.path}?{link.query}")
    case.agree(f"{what}: page", page.status_code, 200)
    shown = sorted(int(id) for id in re.findall(r"<h2>Call ([0-9]+)</h2>", page.text))
    case.agree(f"{what}: calls", shown, sorted(ids))
    case.tally.counts["shared calls"] += len(shown)


def archived(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def packets(capture: bytes) -> list[tuple[int, int, bytes]]:
    """Seconds, microseconds and bytes of each packet of a classic little-endian pcap file."""
    found, at = [], 24
    while at < len(capture):
        seconds, part, size, _ = struct.unpack_from("<IIII", capture, at)
        found.append((seconds, part, capture[at + 16 : at + 16 + size]))
        at += 16 + size
    return found
