"""api.php's files: getVoiceRecording and getPCAP, of one call, of several merged, or zipped."""

from __future__ import annotations

import io
import wave
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from authgw.demo import ogg
from authgw.demo.capture import merged
from authgw.demo.php import Asked, truth
from authgw.demo.selectors import selected
from authgw.demo.site import Answer, Body, Site, failure
from authgw.demo.sound import cut

PCAP, WAV, OGG, ZIP = b"application/vnd.tcpdump.pcap", b"audio/x-wav", b"audio/ogg", b"application/zip"


class Part(msgspec.Struct, frozen=True):
    """One file: the call it is of, what it is, and how such a file's name ends."""

    call: int
    data: bytes
    type: bytes
    ending: str


Element = Mapping[str, Any]
Fetch = Callable[[Site, int, Element], Part | str]


def get_voice_recording(site: Site, asked: Asked, elements: list[dict[str, Any]]) -> Answer:
    """The audio of the calls that are meant: WAV, on request as Ogg, from the connect on, zipped.

    Several recordings are always zipped. Legs without one are left out, unless none has one.
    """
    parts = gather(site, elements, recording)
    return failure(parts) if isinstance(parts, str) else one(parts, archive=truth(elements[0].get("zip")))


def get_pcap(site: Site, asked: Asked, elements: list[dict[str, Any]]) -> Answer:
    """The capture of the calls that are meant: legs merged by time into one; in a zip each on its own, and as one there
    too under `cidMerge`."""
    parts = gather(site, elements, capture)
    if isinstance(parts, str):
        return failure(parts)
    archive = truth(elements[0].get("zip"))
    if len(parts) > 1 and (not archive or truth(elements[0].get("cidMerge"))):
        whole = merged([part.data for part in parts])
        if whole is None:
            return failure("captures of different kinds cannot be merged")
        parts = [Part(parts[0].call, whole, PCAP, "pcap")]
    return one(parts, archive=archive)


def gather(site: Site, elements: Sequence[Element], fetch: Fetch) -> list[Part] | str:
    """The files of every element's calls, each call once; the first error where an element has none."""
    parts: dict[int, Part] = {}
    for element in elements:
        calls = selected(site.records, element)
        if isinstance(calls, str):
            return calls
        found = [fetch(site, call, element) for call in calls]
        files = [part for part in found if isinstance(part, Part)]
        if not files:
            return str(found[0])
        parts.update((part.call, part) for part in files)
    return list(parts.values())


def recording(site: Site, call: int, element: Element) -> Part | str:
    """The call's audio in the form that is asked for."""
    none = f"no audio for cdr id {call}"
    path, record = site.records.file(call, "wav", f"audio/{call}.wav"), site.records.record(call)
    if path is None or record is None:
        return none
    data = path.read_bytes()
    try:
        if truth(element.get("saveaudio_afterconnect")):
            whole, connected = record.get("duration"), record.get("connect_duration")
            if whole is None or connected is None:
                return none
            data = cut(data, whole - connected)
        if truth(element.get("ogg")):
            return Part(call, ogg.encoded(data), OGG, "ogg")
    except (wave.Error, EOFError):
        return f"the audio of cdr id {call} cannot be converted"
    return Part(call, data, WAV, "wav")


def capture(site: Site, call: int, element: Element) -> Part | str:
    """The call's capture."""
    path = site.records.file(call, "pcap", f"pcaps/{call}.pcap")
    return Part(call, path.read_bytes(), PCAP, "pcap") if path else f"no pcap file for cdr id {call}"


def one(parts: Sequence[Part], *, archive: bool) -> Body:
    """One file as a download: the part itself, or all of them in a zip."""
    first = parts[0]
    if len(parts) == 1 and not archive:
        return offered(first.data, first.type, f"voipmonitor-{first.call}.{first.ending}")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for part in parts:
            # One date for all: the same calls give the same archive.
            file.writestr(zipfile.ZipInfo(f"{part.call}.{part.ending}"), part.data, zipfile.ZIP_DEFLATED)
    return offered(out.getvalue(), ZIP, f"voipmonitor-{first.call}.zip")


def offered(data: bytes, kind: bytes, name: str) -> Body:
    """A download under that name."""
    return Body(data, kind, ((b"content-disposition", f'attachment; filename="{name}"'.encode()),))
