"""The store's URL and its errors."""

from __future__ import annotations

import pytest
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ConnectionError,
    RedisError,
    ResponseError,
    TimeoutError,
)

from authgw.errors import ConfigError, StoreError
from authgw.session.store import ask, connect, is_shared, read


@pytest.mark.parametrize(
    ("url", "shared"),
    [("memory://", False), ("redis://h/0", True), ("rediss://:secret@h:6380/1", True), ("REDIS://h", True)],
)
def test_is_shared(url: str, shared: bool) -> None:
    """Only the store inside the process is invisible to others."""
    assert is_shared(url) is shared


@pytest.mark.parametrize(
    "url", ["", "redis", "http://h", "unix:///s", "file:///x", "redis+sentinel://h/m", "redis://h:x"]
)
def test_an_unusable_url_is_a_located_error(url: str) -> None:
    """What is no store stops the start and names the setting."""
    with pytest.raises(ConfigError, match=r"sessions\.store"):
        connect(url)


def test_no_message_shows_a_password() -> None:
    """A mistake in a store's URL is told without the password in it."""
    for url in ("http://:hunter2@h", "redis://:hunter2@h:x"):
        with pytest.raises(ConfigError) as caught:
            connect(url)
        assert "hunter2" not in str(caught.value)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "error",
    [
        RedisError("x"),
        ConnectionError("x"),
        TimeoutError("x"),
        AuthenticationError("x"),
        BusyLoadingError("x"),
        ResponseError("OOM command not allowed"),
        ConnectionResetError("x"),
        BrokenPipeError("x"),
        OSError("x"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_every_failure_is_a_store_error(error: Exception) -> None:
    """The client's own exceptions, the system's and time-outs all become StoreError, for questions and for records."""

    async def fail() -> bytes:
        raise error

    for way in (ask, read):
        with pytest.raises(StoreError):
            await way(fail())


@pytest.mark.anyio
async def test_two_stores_in_memory_share_nothing() -> None:
    """Every memory:// store is one of its own."""
    one, other = connect("memory://"), connect("memory://")
    await one.set("x", "1")
    assert await other.get("x") is None
    await one.aclose()
    await other.aclose()
