"""Two tellers, the second for when the first cannot be asked."""

from __future__ import annotations

import logging

import pytest

from authgw.errors import UpstreamError
from authgw.facts.teller import OrElse
from authgw.narrow.scope import Facts
from authgw.reasons import Reason
from kit.facts import Counting


@pytest.mark.anyio
async def test_the_second_is_asked_only_where_the_first_fails(caplog: pytest.LogCaptureFixture) -> None:
    """An outage goes into the log once, and its end is noticed; both failing is a failure."""
    first, second = Counting(), Counting()
    second.sensor = 2
    either = OrElse(first, second)
    with caplog.at_level(logging.WARNING, "authgw.facts"):
        assert await either.tell([1]) == {1: Facts(sensor=1)}
        first.failure = UpstreamError(Reason.FACTS_UNAVAILABLE, "gone")
        assert await either.tell([1]) == await either.tell([1]) == {1: Facts(sensor=2)}
        assert len(caplog.records) == 1
        first.failure = None
        assert await either.tell([1]) == {1: Facts(sensor=1)}
        first.failure = second.failure = UpstreamError(Reason.UPSTREAM_REPLY_TIMEOUT, "gone too")
        with pytest.raises(UpstreamError) as failed:
            await either.tell([1])
    assert failed.value.reason is Reason.UPSTREAM_REPLY_TIMEOUT
    assert len(caplog.records) == 2
