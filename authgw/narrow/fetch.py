"""Captures and recordings of the calls that a selector picked: fetched one by one, merged or zipped here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

import msgspec

from authgw.errors import UpstreamError
from authgw.narrow import bundle
from authgw.narrow.document import extract
from authgw.narrow.resolve import Leg
from authgw.policy.decision import Element
from authgw.reasons import Reason
from authgw.upstream.api import Call, Reply, Upstream, kind_of

MAX_REFUSAL = 4096
# Bytes on disk for one bundle of captures or recordings.
MAX_BUNDLE = 1 << 30
_OFF = (None, "", 0, False, "0", "false", "no")


class Wish(msgspec.Struct, frozen=True):
    """How the files are wanted: `what` is "pcap" or "audio"; `archive`: zipped, even one; `merge`: one file in it."""

    what: str
    archive: bool = False
    merge: bool = False
    ogg: bool = False
    after_connect: bool = False

    @staticmethod
    def of(what: str, element: Element) -> Wish:
        return Wish(
            what, on(element, "zip"), on(element, "cidMerge"), on(element, "ogg"), on(element, "saveaudio_afterconnect")
        )

    @property
    def suffix(self) -> str:
        return "pcap" if self.what == "pcap" else "ogg" if self.ogg else "wav"


def on(element: Element, name: str) -> bool:
    return element.get(name) not in _OFF


def question(leg: Leg, wish: Wish) -> Call:
    """The call for one leg by its id, in the product's own form."""
    if wish.what == "pcap":
        bare = (("disable_rtp", "1"),) if "no_rtp" in leg.limits else ()
        return Call("GET", "/php/pcap.php", (("id", str(leg.id)), *bare))
    params: Element = {"cdrId": leg.id}
    if wish.ogg:
        params["ogg"] = True
    if wish.after_connect:
        params["saveaudio_afterconnect"] = True
    fields = (("task", "getVoiceRecording"), ("params", msgspec.json.encode(params).decode()))
    return Call("POST", "/php/api.php", fields, credentials=True)


async def fetch(upstream: Upstream, legs: Sequence[Leg], wish: Wish, types: Sequence[str]) -> Reply | None:
    """The file, or the files as one. None: upstream has none of them. Raises `UpstreamError`."""
    if len(legs) == 1 and not wish.archive:
        return await _ask(upstream, legs[0], wish, types)
    files: list[tuple[str, BinaryIO]] = []
    room = MAX_BUNDLE
    try:
        for leg in legs:
            if (reply := await _ask(upstream, leg, wish, types)) is not None:
                file = await bundle.spool(reply, room)
                files.append((f"{leg.id}.{wish.suffix}", file))
                room -= bundle.size(file)
        if not files:
            return None
        name = f"voipmonitor-{legs[0].id}"
        if wish.what == "pcap" and (wish.merge or not wish.archive):
            one = await bundle.merged([file for _, file in files], f"{name}.pcap")
            if not wish.archive:
                return one
            files = [(f"{legs[0].id}.pcap", one.file)]
        return await bundle.zipped(files, f"{name}.zip")
    finally:
        for _, file in files:
            file.close()


async def _ask(upstream: Upstream, leg: Leg, wish: Wish, types: Sequence[str]) -> Reply | None:
    reply = await upstream.send(question(leg, wish))
    try:
        if await has_file(reply, types):
            return reply
    except BaseException:
        await reply.close()
        raise
    await reply.close()
    return None


async def has_file(reply: Reply, types: Sequence[str]) -> bool:
    """Whether a reply is a file of one of the types. False: upstream says in its own words that there is none.

    Anything else raises `UpstreamError`.
    """
    if reply.status in {304, 416}:
        return True
    if reply.status in {200, 206} and (not types or kind_of(reply) in types):
        return True
    if reply.status != 200:
        raise UpstreamError(Reason.UPSTREAM_STATUS, f"answered with {reply.status}")
    try:
        said = msgspec.json.decode(extract(await reply.read(MAX_REFUSAL)), type=_Refusal)
    except (UpstreamError, msgspec.MsgspecError):
        said = _Refusal(True)
    if said.success:
        raise UpstreamError(Reason.UPSTREAM_MALFORMED, f"answered with {kind_of(reply) or 'no type'}, not {types[0]}")
    return False


class _Refusal(msgspec.Struct):
    success: bool
