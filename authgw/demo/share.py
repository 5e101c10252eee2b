"""Share links: made by api.php's getShareURL and by the GUI, opened as cdr.php?share=TOKEN."""

from __future__ import annotations

import secrets
from html import escape
from typing import Any

from authgw.demo import files
from authgw.demo.history import as_table, briefs
from authgw.demo.php import Asked, floatval, intval, params, text, truth
from authgw.demo.selectors import NOTHING_SET, by_call_id, selected
from authgw.demo.site import HTML, Answer, Body, Share, Site, failure, json_body, no_session, unknown_call

# The vendor's own server, which would get the calls sent. Nothing is sent there.
VENDOR = "https://share.voipmonitor.org"
SELF_PUBLIC, SELF_LOGIN, AT_VENDOR = "self_protected_link", "self_login_link", "share_link"
# Calls of one link.
MOST = 1000


def get_share_url(site: Site, asked: Asked, elements: list[dict[str, Any]]) -> Answer:
    """A public link to the calls that are meant: without an interval, every call of a Call-ID."""
    calls: list[int] = []
    for element in elements:
        found = selected(site.records, element)
        if isinstance(found, str):
            return failure(found)
        call_id = text(element.get("callId"))
        if call_id and not text(element.get("cdrId")) and floatval(element.get("cidInterval")) <= 0:
            found = by_call_id(site.records, call_id)
        calls.extend(found)
    history = truth(elements[0].get("sip_history"))
    calls = list(dict.fromkeys(calls))
    return linked(site, asked, Share(tuple(calls), False, truth(elements[0].get("rtp")) and not history, history))


def share_cdr(site: Site, asked: Asked) -> Answer:
    """The GUI's share button: the calls of `id` under a public link, one for users, or one of the vendor's server."""
    element = params(asked)[0]
    kind, wanted = text(element.get("subType")), element.get("id")
    calls = tuple(intval(call) for call in (wanted if isinstance(wanted, list) else [wanted]) if text(call))
    if kind not in (SELF_PUBLIC, SELF_LOGIN, AT_VENDOR):
        return failure("unknown subType")
    if not calls:
        return failure(NOTHING_SET)
    if unknown := [call for call in calls if call not in site.records.rows]:
        return unknown_call(unknown[0])
    history = truth(element.get("sip_history"))
    share = Share(calls, kind == SELF_LOGIN, text(element.get("type2")) == "rtp" and not history, history)
    return linked(site, asked, share, at_vendor=kind == AT_VENDOR)


def linked(site: Site, asked: Asked, share: Share, *, at_vendor: bool = False) -> Body:
    """The new link. One to the vendor's server opens nothing here."""
    if len(share.calls) > MOST:
        return failure("too many calls")
    if at_vendor:
        return json_body({"success": True, "url": f"{VENDOR}/?share={secrets.token_hex(20)}"})
    return json_body({"success": True, "url": f"{site.address(asked)}/cdr.php?share={site.share(share)}"})


def shared(site: Site, asked: Asked) -> Answer:
    """cdr.php: the page of a link, or with `pcap` or `audio` a file of one of its calls."""
    token = asked.text("share")
    share = site.shares.get(token)
    if share is None:
        return Body(b"<!DOCTYPE html><title>No such link</title><h1>No such link</h1>", HTML, status=404)
    if share.login and not site.live(asked):
        return no_session()
    for name in ("pcap", "audio"):
        if asked.given(name):
            return shared_file(site, share, name, asked.number(name))
    calls = [call for call in share.calls if call in site.records.rows]
    body = "".join(section(site, share, token, call) for call in calls)
    head = '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Shared calls</title></head>\n'
    return Body(f"{head}<body><h1>Shared calls</h1>\n{body}</body></html>\n".encode(), HTML)


def shared_file(site: Site, share: Share, name: str, call: int) -> Answer:
    """A capture, without RTP unless the link has it, or the audio; a link to the history has neither."""
    if share.history or call not in share.calls or (name == "audio" and not share.rtp):
        return unknown_call(call)
    if name == "audio":
        return files.audio(site, call, download=True)
    bare = {} if share.rtp else {"disable_rtp": "1"}
    return files.pcap(site, Asked("GET", "/php/pcap.php", {"id": str(call), **bare}, ""))


def section(site: Site, share: Share, token: str, call: int) -> str:
    """One call of the page: what it was, its files, its SIP history."""
    record = site.records.record(call) or {}
    columns = ("calldate", "caller", "caller_domain", "called", "called_domain", "duration", "lastSIPresponse")
    facts = "".join(f"<dt>{name}</dt><dd>{escape(text(record.get(name)))}</dd>" for name in columns)
    links = ""
    if not share.history:
        names = ("pcap", "audio") if share.rtp and site.records.file(call, "wav", f"audio/{call}.wav") else ("pcap",)
        links = " ".join(f'<a href="cdr.php?share={token}&amp;{name}={call}">{name}</a>' for name in names)
    table = as_table(briefs(site, call, ())).body.decode()
    return f"<h2>Call {call}</h2>\n<dl>{facts}</dl>\n<p>{links}</p>\n{table}"
