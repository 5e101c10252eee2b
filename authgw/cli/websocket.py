"""The server's side of WebSockets: uvicorn's protocol, whose client has to take what is sent to it."""

from __future__ import annotations

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from authgw.cli.taken import TakenInTime


class BoundedSocket(TakenInTime, WebSocketsSansIOProtocol):
    """A client that takes nothing keeps neither its connection nor the place at the GUI that goes with it."""
