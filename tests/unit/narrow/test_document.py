"""JSON with PHP's warnings around it."""

from __future__ import annotations

import pytest

from authgw.errors import UpstreamError
from authgw.narrow.document import extract

DOCUMENT = b'{"success":true,"total":"1","results":[{"ID":"1"}]}'
WARNING = b'<br />\n<b>Warning</b>:  Undefined array key "x[0]" in /var/www/a.php on line {3}<br />\n'


@pytest.mark.parametrize("body", [DOCUMENT, b" " + DOCUMENT + b"\n", WARNING + DOCUMENT, DOCUMENT + b"\n" + WARNING])
def test_the_document_is_found(body: bytes) -> None:
    """The one document comes out byte for byte, with text before or after it."""
    assert extract(body) == DOCUMENT


def test_an_empty_list_after_a_warning() -> None:
    """An empty list is a document where it stands alone at the end."""
    assert extract(WARNING + b"[]") == b"[]"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>Not found</body></html>",
        DOCUMENT[:-1],
        DOCUMENT + DOCUMENT,
        b'{"a":1} {"b":2}',
        b'{"a":"\xff"}',
        b"[" * 1000,
        b"{" * 1000 + DOCUMENT,
        b"access denied",
    ],
)
def test_what_is_not_understood_is_refused(body: bytes) -> None:
    """Anything that is not clearly one JSON document is never passed on."""
    with pytest.raises(UpstreamError):
        extract(body)
