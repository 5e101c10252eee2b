"""The oidc login and its provider's certificate: nobody is sent to a provider that cannot prove who it is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from authgw.contract import Failed, Granted
from kit.authority import Authority
from kit.fake_provider import CALLBACK, desk
from kit.servers import free_port

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("trusted", "host", "days", "said"),
    [
        ("ours", "127.0.0.1", 1, ""),
        ("others", "127.0.0.1", 1, "ca_file must name that authority's own"),
        (None, "127.0.0.1", 1, "ca_file must name that authority's own"),
        ("ours", "127.0.0.1", -1, "its certificate has expired"),
        ("ours", "127.0.0.2", 1, "its certificate is for another name; issuer must name it"),
    ],
)
async def test_certificates(tmp_path: Path, trusted: str | None, host: str, days: int, said: str) -> None:
    """One of the authority that `ca_file` names, of today and of this host, and no other; neither a login nor an access
    token is asked about there."""
    authorities = {name: Authority(tmp_path, name) for name in ("ours", "others")}
    options = {"ca_file": authorities[trusted].file} if trusted else {}
    tls = authorities["ours"].server(host, timedelta(days=days))
    async with desk(tmp_path, {**options, "bearer": True}, tls=tls) as one:
        if not said:
            assert isinstance(await one.finish(), Granted)
            return
        found = await one.plugin.begin(CALLBACK, "state-1")
        assert isinstance(found, Failed)
        assert found.reason.startswith(f"issuer {one.fake.url}: ")
        assert said in found.reason
        assert not isinstance(await one.plugin.bear(one.fake.id_token()), Granted)
        assert not one.fake.asked


async def test_nobody_there(tmp_path: Path) -> None:
    """A provider that is down is a failure that names the setting, and nobody is sent anywhere."""
    issuer = f"https://127.0.0.1:{free_port()}"
    async with desk(tmp_path, {"issuer": issuer}) as one:
        found = await one.plugin.begin(CALLBACK, "state-1")
    assert isinstance(found, Failed)
    assert found.reason.startswith(f"issuer {issuer}: ")
    assert "nothing listens there; see issuer" in found.reason
