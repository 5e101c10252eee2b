"""Calls that are under way: they have no id yet, so they are found among those upstream lists."""

from __future__ import annotations

import msgspec

from authgw.catalogue.model import Rows
from authgw.errors import UpstreamError
from authgw.narrow.judge import Judge
from authgw.narrow.rows import Reader
from authgw.policy.decision import Element
from authgw.policy.kinds import scalar
from authgw.reasons import Reason
from authgw.upstream.api import Call, Upstream

MAX_REPLY = 16 << 20
# The names of these rows' fields; the reference comes under either of two.
ACTIVE = Rows(
    id="id",
    table=True,
    sensor="id_sensor",
    number=("caller", "called"),
    ip=("callerip", "calledip"),
    domain=("callerdomain", "calleddomain"),
    vlan="vlan",
    connected="connect_duration",
)
_REFERENCES = ("callreference", "callRef")


async def is_visible(upstream: Upstream, judge: Judge, element: Element) -> bool:
    """Whether `callRef` is a call under way on `sensorId` that the user sees, asked just now."""
    wanted, sensor = scalar(element.get("callRef")), scalar(element.get("sensorId"))
    params = msgspec.json.encode({"sensorId": sensor}).decode()
    call = Call(
        "POST", "/php/api.php", (("task", "listActiveCalls"), ("params", params)), credentials=True, decode=True
    )
    reply = await upstream.send(call)
    try:
        if reply.status != 200:
            raise UpstreamError(Reason.UPSTREAM_STATUS, f"active calls: answered with {reply.status}")
        page = Reader(ACTIVE).page(await reply.read(MAX_REPLY))
    finally:
        await reply.close()
    for row in page.rows:
        named = row.named or {}
        if wanted in [scalar(named.get(name)) for name in _REFERENCES if name in named]:
            return str(row.facts.sensor) == sensor and judge.verdict(row.facts) is True
    return False
