"""Links in replies of share calls."""

from __future__ import annotations

import json

import pytest

from authgw.errors import UpstreamError
from authgw.narrow.share import Rewritten, rewrite_links


@pytest.mark.parametrize("host", ["http://127.0.0.1:8081", "https://gui.example", "http://gw.example"])
def test_links_lead_to_the_gateway(host: str) -> None:
    """Wherever the GUI believes to be, its links lead to the gateway's address afterwards."""
    body = json.dumps({"success": True, "url": f"{host}/demo/cdr.php?share=T%2B1&x=1"}).encode()
    written, links = rewrite_links(body, "/demo", "https://gw.example/demo")
    assert json.loads(written)["url"] == "https://gw.example/demo/cdr.php?share=T%2B1&x=1"
    assert links == [Rewritten("/cdr.php", {"share": "T+1", "x": "1"})]


@pytest.mark.parametrize(
    "address",
    ["http://h/other/cdr.php?a=1", "http://h/demo/../x?a=1", "http://h/demo/cdr.php", "http://h/demo//x?a=1", "http://h/demo/c?a=1&a=2"],
)  # fmt: skip
def test_links_of_another_form_are_not_passed_on(address: str) -> None:
    """An address that cannot be kept would lead around the gateway: the whole reply is refused."""
    with pytest.raises(UpstreamError):
        rewrite_links(json.dumps({"links": [{"url": address}]}).encode(), "/demo", "https://gw.example/demo")


def test_other_texts_stay() -> None:
    """What is no address is left alone."""
    body = b'{"success":true,"note":"see http in text","n":1}'
    assert rewrite_links(body, "", "https://gw")[0] == body
