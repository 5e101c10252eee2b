"""Recordings: a WAV without its first seconds, and as Ogg."""

from __future__ import annotations

import io
import wave


def cut(data: bytes, seconds: float) -> bytes:
    """The WAV without so many seconds at its beginning. Raises wave.Error or EOFError for what is none."""
    out = io.BytesIO()
    with wave.open(io.BytesIO(data)) as source, wave.open(out, "wb") as target:
        skipped = min(max(0, round(seconds * source.getframerate())), source.getnframes())
        source.setpos(skipped)
        target.setparams(source.getparams())
        target.writeframes(source.readframes(source.getnframes() - skipped))
    return out.getvalue()
