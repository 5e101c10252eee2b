"""TLS to the GUI as the settings say: whom the gateway believes, and what it shows of itself."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from authgw.errors import ConfigError, UpstreamError
from authgw.reasons import Reason
from authgw.settings import load
from authgw.upstream.anonymous import Anonymous
from authgw.upstream.api import Call
from authgw.upstream.assemble import upstream_of
from kit.asking import always
from kit.authority import Authority
from kit.loopback import reply, serving

pytestmark = pytest.mark.anyio


def upstream(folder: Path, port: int, *, host: str = "127.0.0.1", **files: Path) -> Anonymous:
    """The client that a configuration makes."""
    named = "".join(f'{name} = "{path}"\n' for name, path in files.items())
    path = folder / "authgw.toml"
    path.write_text(
        '[gateway]\npublic_url = "http://127.0.0.1:8080"\n'
        f'[upstream]\nurl = "https://{host}:{port}"\nidentity = "none"\n{named}[login]\nchain = ["static"]\n'
    )
    found = upstream_of(load(path, {}))
    assert isinstance(found, Anonymous)
    return found


async def said(asked: Anonymous) -> bytes:
    try:
        answer = await asked.send(Call("GET", "/"))
        try:
            return await answer.read(100)
        finally:
            await answer.close()
    finally:
        await asked.close()


async def test_the_gui_is_believed_by_its_authority_and_its_name(tmp_path: Path) -> None:
    """With ca_file the GUI's certificate is taken; without it, or under another name, nothing is sent."""
    authority = Authority(tmp_path, "gui")
    async with serving(always(reply(b"ok")), authority.server()) as server:
        assert await said(upstream(tmp_path, server.port, ca_file=authority.file)) == b"ok"
        renamed = upstream(tmp_path, server.port, host="localhost", ca_file=authority.file)
        for wrong in (upstream(tmp_path, server.port), renamed):
            with pytest.raises(UpstreamError) as refused:
                await said(wrong)
            assert refused.value.reason is Reason.UPSTREAM_UNREACHABLE
            assert "certificate" in refused.value.detail


async def test_the_gateway_shows_its_certificate(tmp_path: Path) -> None:
    """A GUI that wants a client certificate gets ours, and nobody without one is answered."""
    (tmp_path / "ours").mkdir()
    authority, ours = Authority(tmp_path, "gui"), Authority(tmp_path / "ours", "ours")
    ours.server()
    own = tmp_path / "ours" / "server.pem"
    context = authority.server()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(ours.file)
    async with serving(always(reply(b"ok")), context) as server:
        alone = upstream(tmp_path, server.port, ca_file=authority.file, certificate_file=own)
        apart = upstream(tmp_path, server.port, ca_file=authority.file, certificate_file=own, key_file=own)
        assert [await said(known) for known in (alone, apart)] == [b"ok", b"ok"]
        with pytest.raises(UpstreamError):
            await said(upstream(tmp_path, server.port, ca_file=authority.file))


def test_files_that_cannot_be_used_are_mistakes_of_the_configuration(tmp_path: Path) -> None:
    """An absent authority, a certificate without its key: told at start, by the name of the setting."""
    authority = Authority(tmp_path, "gui")
    with pytest.raises(ConfigError) as absent:
        upstream(tmp_path, 1, ca_file=tmp_path / "absent.pem")
    with pytest.raises(ConfigError) as half:
        upstream(tmp_path, 1, ca_file=authority.file, certificate_file=authority.file)
    found = [wrong.value.problems[0].source for wrong in (absent, half)]
    assert found == ["upstream.ca_file", "upstream.certificate_file"]
