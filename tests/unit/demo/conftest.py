"""A logged-in client of the look-alike for each data folder, and the records as a plain loop sees them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from authgw.demo.upstream import build

ROOT = Path(__file__).parents[3]
VOIP = ROOT / "authgw" / "demo" / "data" / "voip"
VOIP6 = ROOT / "tests" / "data" / "voip-v6"
PASSWORD = "service-password"


@pytest.fixture(scope="session")
def voip() -> Path:
    """The folder that comes along."""
    return VOIP


@pytest.fixture(scope="session")
def voip6() -> Path:
    """The folder with IPv6, VLANs and calls without a sensor."""
    return VOIP6


@pytest.fixture(scope="session")
def records() -> list[dict[str, Any]]:
    """cdr.jsonl of the folder that comes along."""
    return [json.loads(line) for line in (VOIP / "cdr.jsonl").read_text().splitlines()]


@pytest.fixture(scope="session")
def records6() -> list[dict[str, Any]]:
    """cdr.jsonl of the folder with IPv6."""
    return [json.loads(line) for line in (VOIP6 / "cdr.jsonl").read_text().splitlines()]


@pytest.fixture
def start() -> Callable[..., TestClient]:
    """A function that starts a look-alike and logs in to it."""

    def start(data: Path | None = None, base: str = "", warnings: int = 0, **more: bool) -> TestClient:
        client = TestClient(build(data, "authgw", PASSWORD, base, warnings=warnings, **more))
        query = {"module": "bypass_login", "user": "authgw", "pass": PASSWORD}
        reply = client.post(f"{base}/php/model/sql.php", params=query).json()
        client.cookies.clear()
        client.headers["cookie"] = f"{reply['cookie_name']}={reply['SID']}"
        return client

    return start


@pytest.fixture
def client(start: Callable[..., TestClient]) -> TestClient:
    """A logged-in client over the folder that comes along, warnings off."""
    return start()


@pytest.fixture
def client6(start: Callable[..., TestClient], voip6: Path) -> TestClient:
    """A logged-in client over the folder with IPv6, warnings off."""
    return start(voip6)
