"""`authgw serve`: the gateway until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import socket
import sys
from collections.abc import Awaitable, Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import uvicorn

from authgw.cli.common import config_errors_end_it, end_unasked, settings_of
from authgw.cli.http import KEEP_ALIVE_SECONDS, BoundedHead, close_overdue
from authgw.cli.workers import Workers, end_with
from authgw.errors import StoreError
from authgw.settings import Settings

GRACEFUL_SECONDS = 5
MAX_MESSAGE = 1 << 20


@click.command()
@click.option("--config", "path", type=click.Path(path_type=Path), required=True, help="The gateway's authgw.toml.")
def serve(path: Path) -> None:
    """Run the gateway.

    Prints `ready http://HOST:PORT` when it accepts connections. Exit codes: 0 ended, 1 the database cannot be reached,
    2 the configuration or the address cannot be used; every mistake is listed.
    """
    from authgw.app import create

    settings = settings_of(path)
    for warning in settings.warnings:
        click.echo(f"warning: {warning}", err=True)
    listen, count = settings.gateway.listen, settings.gateway.workers

    async def main(listener: socket.socket | None, ready: Callable[[], None] | None) -> None:
        # Opened before the address is taken: with a mistake in any file nothing is started.
        with config_errors_end_it():
            gateway = await create(settings)
            try:
                await gateway.open()
            except StoreError as error:
                end_unasked(error)
        for warning in gateway.warnings:
            click.echo(f"warning: {warning}", err=True)
        await server(gateway.app, listener or bind(listen.host, listen.port), ready, sockets=gateway.has_sockets)

    if count == 1:
        run(lambda: main(None, None))
        return
    with config_errors_end_it():
        preload(settings)
    listener = bind(listen.host, listen.port)

    def work(ready: Callable[[], None], parent: int) -> None:
        async def serving() -> None:
            end_with(parent)
            await main(listener, ready)

        run(serving)

    sys.exit(Workers(count, work, lambda: print(f"ready {address(listener)}", flush=True)).run())


def preload(settings: Settings) -> None:
    """Import what every worker will need, before there are any: they share it (4 MB of each).

    ConfigError: the database's driver is not there.
    """
    from authgw.durable import engine
    from authgw.login import registry

    for name in ("uvloop", "jinja2"):
        import_module(name)
    registry.preload(settings.login.instances)
    engine.make(settings.database.url).dispose()


def bind(host: str, port: int, advice: str = "see gateway.listen") -> socket.socket:
    """A listening socket; exit code 2 where the address cannot be had. `advice`: what to look at then."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        click.echo(f"authgw: cannot listen on {host}:{port}: {error.strerror}; {advice}", err=True)
        sys.exit(2)
    listener.set_inheritable(True)
    return listener


def address(listener: socket.socket) -> str:
    """http://HOST:PORT of a bound socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def server(
    app: Any, listener: socket.socket, ready: Callable[[], None] | None = None, *, sockets: bool = False
) -> None:
    """Serve until SIGINT or SIGTERM. `ready` replaces the line that is printed when connections are accepted.
    `sockets`: whether WebSockets are spoken at all."""
    protocol: Any = "none"
    if sockets:
        from authgw.cli.websocket import BoundedSocket as protocol
    config = uvicorn.Config(
        app,
        http=BoundedHead,
        ws=protocol,
        ws_max_size=MAX_MESSAGE,
        ws_per_message_deflate=False,
        interface="asgi3",  # the gate is a plain function that gives a coroutine
        loop="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
    )
    running = _Server(config, ready or (lambda: print(f"ready {address(listener)}", flush=True)))
    await running.serve(sockets=[listener])
    if not running.started:
        sys.exit(2)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            # What is there now stays: collections look at what came later (measured: 8 % of a request's time).
            gc.collect()
            gc.freeze()
            self._ready()

    async def main_loop(self) -> None:
        try:
            await super().main_loop()
        except asyncio.CancelledError:  # as the demo ends its look-alike
            await self.shutdown()
            raise

    async def on_tick(self, counter: int) -> bool:
        if counter % 10 == 0:  # once a second
            close_overdue(self.server_state.connections, asyncio.get_running_loop().time())
        return await super().on_tick(counter)


def run(main: Callable[[], Awaitable[None]]) -> None:
    """Run a coroutine on uvloop, logging to standard error. Exit code 2 where AUTHGW_LOG is no level."""
    import uvloop

    level = os.environ.get("AUTHGW_LOG", "WARNING").upper()
    if level not in logging.getLevelNamesMapping():
        click.echo("authgw: AUTHGW_LOG is no level; write debug, info, warning or error, or unset it", err=True)
        sys.exit(2)
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("uvicorn.error").addFilter(_one_line)

    async def body() -> None:
        await main()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(body())


def _one_line(record: logging.LogRecord) -> bool:
    """A request that the end of the process cuts short is no fault of the program: said without a traceback."""
    if record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError):
        record.msg, record.args, record.exc_info = "a request was cut short: the gateway stops", (), None
        record.levelno, record.levelname = logging.WARNING, "WARNING"
    return True
