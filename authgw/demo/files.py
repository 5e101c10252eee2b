"""Captures and audio: php/pcap.php, php/pcap2wav.php and php/N.wav."""

from __future__ import annotations

from authgw.demo.capture import without_rtp
from authgw.demo.php import Asked, truth
from authgw.demo.recording import one, recording
from authgw.demo.site import Answer, Body, File, Site, failure, unknown_call

PCAP = "application/vnd.tcpdump.pcap"


def pcap(site: Site, asked: Asked) -> Answer:
    """The call's capture; disable_rtp leaves the SIP packets only."""
    call = asked.number("id")
    if call not in site.records.rows:
        return unknown_call(call)
    path = site.records.file(call, "pcap", f"pcaps/{call}.pcap")
    if path is None:
        return failure(f"no pcap file for cdr id {call}")
    name = f"voipmonitor-{call}.pcap"
    if truth(asked.fields.get("disable_rtp")):
        offered = f'attachment; filename="{name}"'.encode()
        return Body(without_rtp(path.read_bytes()), PCAP.encode(), ((b"content-disposition", offered),))
    return File(path, PCAP, name)


def pcap2wav(site: Site, asked: Asked) -> Answer:
    """The call's audio as a download: WAV as it is kept, or Ogg made of it."""
    call, action = asked.number("id"), asked.text("action")
    if action == "wav":
        return audio(site, call, download=True)
    if action != "ogg":
        return failure("unknown action")
    if call not in site.records.rows:
        return unknown_call(call)
    part = recording(site, call, {"ogg": True})
    return failure(part) if isinstance(part, str) else one([part], archive=False)


def audio(site: Site, call: int, *, download: bool) -> Answer:
    """The call's audio where it was recorded."""
    if call not in site.records.rows:
        return unknown_call(call)
    path = site.records.file(call, "wav", f"audio/{call}.wav")
    if path is None:
        return failure(f"no audio for cdr id {call}")
    return File(path, "audio/x-wav", f"voipmonitor-{call}.wav" if download else "")
