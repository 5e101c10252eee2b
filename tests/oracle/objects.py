"""What is asked for by the id of a call: history, capture, recording, row."""

from __future__ import annotations

from collections.abc import Sequence

import httpx2

from authgw.rights.claims import Grant
from oracle.case import Case
from oracle.formula import allowed, shown_by, unreduced, visible
from oracle.site import signalling


def some_ids(case: Case, flag: str) -> list[int]:
    """A few ids that are visible, a few that are not, and one that never was."""
    seen = [record["ID"] for record in case.seen(flag)]
    others = sorted(case.site.calls.keys() - set(seen))
    ids = [*case.random.sample(seen, min(3, len(seen))), *case.random.sample(others, min(3, len(others)))]
    return [*ids, case.site.never_used()]


async def absent(case: Case, what: str, id: int, answer: httpx2.Response) -> None:
    """The answer to whoever asks for a call that does not exist for him."""
    body = {"success": False, "error": f"cdr id {id} does not exist"}
    case.agree(f"{what}: status ({answer.text[:200]})", answer.status_code, 404)
    case.agree(f"{what}: body", answer.json(), body)
    case.tally.counts["absent"] += 1


async def histories(case: Case) -> None:
    """The SIP messages of a call, as the records have them."""
    grants = unreduced(allowed(case.claims.grants, "can_cdr"))
    if not grants:
        answer = await case.ask("/php/pcap2text.php", {"action": "brief_data", "id": str(case.site.records[0]["ID"])})
        case.agree("history under simple_cdr", answer.status_code, 403)
        return
    for id in some_ids(case, "can_cdr"):
        fields = {"action": "brief_data", "id": str(id), "dns_lookup": "0"}
        answer = await case.ask("/php/pcap2text.php", fields, get=case.random.random() < 0.5)
        if id not in case.site.calls or not visible(grants, case.site.calls[id]):
            await absent(case, f"history of {id}", id, answer)
            continue
        case.agree(f"history of {id}: status ({answer.text[:200]})", answer.status_code, 200)
        found = [
            (row["src"], int(row["srcport"]), row["dst"], int(row["dstport"]), int(row["packet_len"]), row["type"])
            for row in answer.json()["results"]
        ]
        expected = [
            (m["src"], m["src_port"], m["dst"], m["dst_port"], m["length"], "request" if m["method"] else "response")
            for m in case.site.histories[id]
        ]
        case.agree(f"history of {id}", found, expected)
        case.tally.counts["histories"] += 1


async def captures(case: Case) -> None:
    """The bytes of the file; without RTP where only grants with no_rtp show the call, or where that is asked for."""
    if not allowed(case.claims.grants, "can_pcap"):
        answer = await case.ask("/php/pcap.php", {"id": str(case.site.records[0]["ID"])}, get=True)
        case.agree("capture without can_pcap", answer.status_code, 403)
        return
    for id in some_ids(case, "can_pcap"):
        without = case.random.random() < 0.3
        fields = {"id": str(id), **({"disable_rtp": "1"} if without else {})}
        answer = await case.ask("/php/pcap.php", fields, get=case.random.random() < 0.5)
        shown: Sequence[Grant] = ()
        if id in case.site.calls:
            shown = shown_by(case.claims.grants, "can_pcap", case.site.calls[id])
        if not shown:
            await absent(case, f"capture of {id}", id, answer)
            continue
        case.agree(f"capture of {id}: status ({answer.text[:200]})", answer.status_code, 200)
        whole = case.site.capture(id)
        without = without or all("no_rtp" in grant.limits for grant in shown)
        expected = signalling(whole) if without else whole
        case.agree(f"capture of {id}, rtp {not without}", answer.content == expected, True)
        case.tally.counts["captures"] += 1
        case.tally.counts["captures with RTP taken off"] += expected != whole


async def audio(case: Case) -> None:
    """The bytes of the recording, where a grant that hears shows the call."""
    downloads = allowed(case.claims.grants, "can_download_audio")
    plays = [*downloads, *allowed(case.claims.grants, "can_play_audio")]
    recorded = [record for record in case.site.records if record["wav"]]
    for record in case.random.sample(recorded, 2):
        id = record["ID"]
        for path, fields, grants in (
            ("/php/pcap2wav.php", {"id": str(id), "action": "wav"}, downloads),
            (f"/php/{id}.wav", {}, plays),
        ):
            hearing = [grant for grant in grants if "no_rtp" not in grant.limits]
            answer = await case.ask(path, fields, get=True)
            what = f"audio {path} of {id} ({answer.text[:100] if answer.status_code != 200 else ''})"
            if visible(hearing, case.site.calls[id]):
                case.agree(f"{what}: status", answer.status_code, 200)
                case.agree(what, answer.content == (case.site.folder / record["wav"]).read_bytes(), True)
                case.tally.counts["recordings"] += 1
            elif not hearing:
                case.agree(f"{what}: status", answer.status_code, 403)
            elif not visible(grants, case.site.calls[id]):
                await absent(case, what, id, answer)
            else:
                case.agree(f"{what}: refused", answer.status_code in (403, 404), True)
