"""Several captures or recordings as one file: merged by time, or zipped. Parts lie on disk, not in memory."""

from __future__ import annotations

import asyncio
import tempfile
import zipfile
from collections.abc import AsyncIterator, Sequence
from typing import BinaryIO

from authgw.errors import UpstreamError
from authgw.narrow import capture
from authgw.reasons import Reason
from authgw.upstream.api import Reply

PIECE = 256 * 1024
PCAP = "application/vnd.tcpdump.pcap"
ZIP = "application/zip"


class FileReply:
    """A file made here, as a reply to be streamed through."""

    status = 200
    location = None

    def __init__(self, file: BinaryIO, kind: str, name: str) -> None:
        self.file = file
        self.headers: Sequence[tuple[str, str]] = (
            ("content-type", kind),
            ("content-length", str(size(file))),
            ("content-disposition", f'attachment; filename="{name}"'),
        )

    async def read(self, limit: int) -> bytes:
        body = await asyncio.to_thread(self.file.read, limit + 1)
        if len(body) > limit:
            raise UpstreamError(Reason.UPSTREAM_TOO_LARGE, f"a file of more than {limit} bytes")
        return body

    async def stream(self) -> AsyncIterator[bytes]:
        while piece := await asyncio.to_thread(self.file.read, PIECE):
            yield piece

    async def close(self) -> None:
        self.file.close()


async def spool(reply: Reply, room: int) -> BinaryIO:
    """The whole body of a reply in an unnamed file, which stands at its beginning. The reply is closed.

    More than `room` bytes: UPSTREAM_TOO_LARGE.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115  (closed by whoever reads it)
    try:
        async for piece in reply.stream():
            room -= len(piece)
            if room < 0:
                raise UpstreamError(Reason.UPSTREAM_TOO_LARGE, "more than one bundle may hold")
            await asyncio.to_thread(file.write, piece)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    finally:
        await reply.close()
    return file


def size(file: BinaryIO) -> int:
    """Bytes of a file that stands at its beginning."""
    end = file.seek(0, 2)
    file.seek(0)
    return end


async def merged(files: Sequence[BinaryIO], name: str) -> FileReply:
    """One capture of several, in the order of time. UPSTREAM_MALFORMED where they are no captures of one kind."""
    return await asyncio.to_thread(_merged, files, name)


def _merged(files: Sequence[BinaryIO], name: str) -> FileReply:
    out = tempfile.TemporaryFile()  # noqa: SIM115
    try:
        heads = [capture.read_head(file) for file in files]
        if not capture.mergeable(heads):
            raise capture.NotACapture("captures of different link types")
        for piece in capture.merged(files, heads):
            out.write(piece)
    except capture.NotACapture as error:
        out.close()
        raise UpstreamError(Reason.UPSTREAM_MALFORMED, str(error)) from None
    finally:
        for file in files:
            file.close()
    return FileReply(out, PCAP, name)


async def zipped(files: Sequence[tuple[str, BinaryIO]], name: str) -> FileReply:
    """The files under their names, in one zip."""
    return await asyncio.to_thread(_zipped, files, name)


def _zipped(files: Sequence[tuple[str, BinaryIO]], name: str) -> FileReply:
    out = tempfile.TemporaryFile()  # noqa: SIM115
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for inner, file in files:
            # A fixed date: the same calls give the same archive.
            with archive.open(zipfile.ZipInfo(inner, (1980, 1, 1, 0, 0, 0)), "w", force_zip64=True) as target:
                while piece := file.read(PIECE):
                    target.write(piece)
            file.close()
    return FileReply(out, ZIP, name)
