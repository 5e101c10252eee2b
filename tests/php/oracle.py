"""A real PHP, asked what it sees, and the comparison with what the gateway judged."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import socket
import struct
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from authgw.intake import encode
from authgw.intake.read import Limits, read
from authgw.intake.request import Body, Raw, Refused, Request
from kit.servers import free_port, need, running

SCRIPTS = ("/index.php", "/admin.php", "/php/api.php", "/php/pcap.php", "/php/pcap2text.php", "/php/model/sql.php")
_HIGH = re.compile(rb"[\x80-\xff]")
FORM = b"application/x-www-form-urlencoded"


class Outcome(StrEnum):
    """What became of one request. UNHEARD: let through, but PHP's server would not take the original bytes."""

    REFUSED = "refused"
    COMPARED = "compared"
    UNHEARD = "unheard"


class Seen(msgspec.Struct, frozen=True):
    """What PHP saw. Texts are bytes; an array where a text should be stays a list of pairs."""

    get: dict[bytes, Any]
    post: dict[bytes, Any]
    request: dict[bytes, Any]
    inside: dict[bytes, Any]
    files: int
    json: dict[str, Any]
    server: dict[str, bytes]


class Php:
    """One `php -S` on loopback. It closes every connection after its answer, so each request opens one."""

    def __init__(self, port: int) -> None:
        self.port = port

    def see(self, raw: Raw) -> Seen | None:
        """What PHP sees of these bytes; None where its server does not take them for a request."""
        answer = self._send(wire(raw))
        head, _, body = answer.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200") or not body.startswith(b"{"):
            return None
        told = json.loads(body)
        return Seen(
            **{name: dict(_read(told[name])) for name in ("get", "post", "request")},
            inside={base64.b64decode(name): value for name, value in told["inside"]},
            files=told["files"],
            json=told["json"],
            server={name: base64.b64decode(value) for name, value in told["server"].items()},
        )

    def integers(self, texts: Sequence[str]) -> list[int]:
        """What PHP's intval makes of each text."""
        return [int(number) for number in self._ask(b"/integers", [_b64(text.encode()) for text in texts])]

    def same(self, pairs: Sequence[tuple[str, str]]) -> list[bool]:
        """Whether each JSON scalar and text are equal to PHP (`==`), and alike in a condition."""
        lines = [f"{_b64(json_text.encode())} {_b64(text.encode())}" for json_text, text in pairs]
        return [bool(answer) for answer in self._ask(b"/same", lines)]

    def _ask(self, path: bytes, lines: Sequence[str]) -> list[Any]:
        headers = ((b"host", b"php"), (b"content-type", b"text/plain"))
        answer = self._send(wire(Raw("POST", path, b"", headers, "\n".join(lines).encode(), "")))
        return list(json.loads(answer.partition(b"\r\n\r\n")[2]))

    def _send(self, data: bytes) -> bytes:
        answer = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(data)
            with contextlib.suppress(ConnectionResetError):
                while chunk := connection.recv(1 << 18):
                    answer += chunk
        return answer


@contextlib.contextmanager
def php_server(folder: Path) -> Iterator[Php]:
    """`php -S` with the order of fields that the product's systems use (GET, then POST, never cookies)."""
    program = need("php")
    root = folder / "root"
    for script in SCRIPTS:
        (root / script[1:]).parent.mkdir(parents=True, exist_ok=True)
        (root / script[1:]).touch()
    router = Path(__file__).with_name("router.php")
    settings = {"request_order": "GP", "variables_order": "GPCS", "display_errors": "0", "max_input_vars": "1000"}
    options = [part for name, value in settings.items() for part in ("-d", f"{name}={value}")]
    port = free_port()
    command = [program, "-n", *options, "-S", f"127.0.0.1:{port}", "-t", str(root), str(router)]
    with running(command, port, folder / "php.log"):
        yield Php(port)


def wire(raw: Raw) -> bytes:
    """The bytes of HTTP/1.1 for a request."""
    target = raw.path + (b"?" + raw.query if raw.query else b"")
    lines = [raw.method.encode() + b" " + target + b" HTTP/1.1"]
    lines += [name + b": " + value for name, value in raw.headers]
    if raw.body or raw.method == "POST":
        lines.append(b"content-length: %d" % len(raw.body))
    return b"\r\n".join([*lines, b"connection: close", b"", raw.body])


def anew(request: Request) -> Raw:
    """The request written anew: GET with a query, POST with an urlencoded body and no query."""
    written = encode.query((name, encode.as_text(value)) for name, value in request.fields.items())
    headers = ((b"host", b"upstream"),)
    if request.method == "GET":
        return Raw("GET", encode.path(request.path), written, headers, b"", "")
    return Raw("POST", encode.path(request.path), b"", (*headers, (b"content-type", FORM)), written, "")


def compare(php: Php, raw: Raw, limits: Limits | None = None) -> tuple[Outcome, Body | None, list[str]]:
    """What became of the request, how its body was written if it was let through, and where PHP disagrees."""
    request = read(raw, limits or Limits())
    if isinstance(request, Refused):
        return Outcome.REFUSED, None, []
    seen = php.see(anew(request))
    if seen is None:
        return Outcome.COMPARED, request.body, ["PHP does not take the rewritten request"]
    wrong = [f"rewritten: {detail}" for detail in _rewritten(request, seen)]
    original = _as_it_came(php, msgspec.structs.replace(raw, method=request.method))
    if original is None:
        return Outcome.UNHEARD, request.body, wrong
    wrong += [f"original: {detail}" for detail in _original(request, raw, original)]
    return Outcome.COMPARED, request.body, wrong


def _as_it_came(php: Php, raw: Raw) -> Seen | None:
    """PHP's view of the original bytes. Its server takes no bytes above ASCII in a target: those go escaped."""
    seen = php.see(raw)
    if seen is None and not (raw.query + raw.path).isascii():
        query, path = (_HIGH.sub(lambda byte: b"%%%02x" % ord(byte[0]), part) for part in (raw.query, raw.path))
        seen = php.see(msgspec.structs.replace(raw, query=query, path=path))
    return seen


def _rewritten(request: Request, seen: Seen) -> Iterator[str]:
    expected = as_bytes(request.fields)
    if seen.request != expected:
        yield f"fields {seen.request} instead of {expected}"
    if seen.get and request.method == "POST":
        yield "a POST has a query"
    if seen.server["REQUEST_METHOD"].decode() != request.method:
        yield "another method"
    if seen.files:
        yield "a file"
    for name, value in request.fields.items():
        if isinstance(value, (dict, list)):
            inside = seen.inside.get(name.encode())
            if inside is None or inside["error"] or inside["value"] != typed(value):
                yield f"JSON in {name}: {inside} instead of {typed(value)}"
    yield from _one_script(request, seen)


def _original(request: Request, raw: Raw, seen: Seen) -> Iterator[str]:
    if seen.files:
        yield "a file"
    yield from _one_script(request, seen)
    if request.body is Body.JSON:
        kind, pairs = seen.json["value"]
        if seen.json["error"] or kind != "array":
            yield f"not a JSON object to PHP: {seen.json}"
            return
        told = dict(pairs) | {_b64(name): ["text", _b64(v)] for name, v in seen.get.items()}
        judged = {_b64(name.encode()): typed(value) for name, value in request.fields.items()}
        if told != judged:
            yield f"JSON and query {told} instead of {judged}"
        return
    # `{}` under an urlencoded type is a field named `{}` to PHP; that it counts as no body is the product's wish.
    fields = seen.get if raw.body == b"{}" else seen.request
    if fields != as_bytes(request.fields):
        yield f"fields {fields} instead of {as_bytes(request.fields)}"


def _one_script(request: Request, seen: Seen) -> Iterator[str]:
    if seen.server.get("PATH_INFO"):
        yield "PATH_INFO"
    if request.path.endswith(".php") and seen.server["SCRIPT_NAME"].decode() != request.path:
        yield f"script {seen.server['SCRIPT_NAME']!r} instead of {request.path}"


def as_bytes(fields: Mapping[str, Any]) -> dict[bytes, Any]:
    """Canonical fields as PHP should have them."""
    return {name.encode(): encode.as_text(value).encode() for name, value in fields.items()}


def typed(value: Any) -> list[Any]:
    """A JSON value in the router's notation, types and bits of floats included."""
    if isinstance(value, dict):
        return ["array", [[_b64(name.encode()), typed(inner)] for name, inner in value.items()]]
    if isinstance(value, list):
        return ["array", [[_b64(str(place).encode()), typed(inner)] for place, inner in enumerate(value)]]
    if isinstance(value, str):
        return ["text", _b64(value.encode())]
    if isinstance(value, bool):
        return ["bool", str(value).lower()]
    if isinstance(value, float):
        return ["float", struct.pack(">d", value).hex()]
    return ["null", ""] if value is None else ["int", str(value)]


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii") if isinstance(data, bytes) else "array"


def _read(told: dict[str, Any]) -> Iterator[tuple[bytes, Any]]:
    for name, value in told["array"]:
        yield base64.b64decode(name), base64.b64decode(value) if isinstance(value, str) else list(_read(value))
