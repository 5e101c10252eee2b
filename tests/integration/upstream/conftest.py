"""What the tests of the upstream share."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(params=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """Both loops: the gateway runs on uvloop where it is there."""
    return "asyncio", {"use_uvloop": request.param == "uvloop"}
