"""What every test shares."""

from __future__ import annotations

import os

import pytest

# Whole products beside the gateway: `make worlds`.
collect_ignore = [] if os.environ.get("AUTHGW_WORLDS") else ["worlds"]


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio, the loop the gateway runs on."""
    return "asyncio"
