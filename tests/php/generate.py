"""Requests from a seeded grammar: query, urlencoded, multipart, JSON and mixed, tame and wild."""

from __future__ import annotations

import random

from authgw.intake.request import Raw
from php import ingredients

# Half of the requests are straight. Most others are bent in one place, so that this one place decides.
BENDS: tuple[tuple[str, ...], ...] = (
    *[()] * 9,
    *[("method",), ("query",), ("fields",), ("body",), ("body",), ("body",), ("bytes",), ("path",)],
    ("method", "query", "fields", "body", "bytes", "path"),
)
Pair = tuple[bytes, bytes]
FORM = b"application/x-www-form-urlencoded"
_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!*'(),:;@$/?[]{}\"|^`<>\\")


def request(rng: random.Random) -> Raw:
    """One request, straight or bent."""
    bent = rng.choice(BENDS)
    method = rng.choices(
        ("GET", "POST", "HEAD", "PUT", "get"), (30, 65, 3, 1, 1) if "method" in bent else (30, 67, 3, 0, 0)
    )[0]
    asked = fields(rng, "query" in bent)
    sent: list[Pair] = []
    if rng.randrange(5) if method == "POST" else "method" in bent:
        sent = fields(rng, "fields" in bent)
        if rng.randrange(2):
            asked = rng.sample(sent, min(len(sent), rng.randrange(3)))
        elif not bent:
            asked = [pair for pair in asked if pair[0] not in dict(sent)]
    content_type, body = written_body(rng, sent, "body" in bent) if sent else (b"", b"")
    if not sent and rng.randrange(10) == 0:
        content_type, body = rng.choice((b"application/json", FORM, b"")), b"{}"
    query = urlencoded(rng, asked, "query" in bent, in_target=True)
    if "bytes" in bent:
        query, body = mangled(rng, query, in_target=True), mangled(rng, body, in_target=False)
    headers: list[tuple[bytes, bytes]] = [(b"host", b"gw.example:8080")]
    if content_type:
        headers.append((b"content-type", content_type))
    return Raw(method, path(rng, "path" in bent), query, tuple(headers), body, "127.0.0.1")


def fields(rng: random.Random, wild: bool) -> list[Pair]:
    """Pairs of a name and a value, some of them given again."""
    if rng.randrange(400) == 0:
        many = rng.choice((999, 1000, 1001, 1500))
        return [(b"n%d" % number, b"1") for number in range(many)]
    pairs: list[Pair] = []
    known: set[str] = set()
    for _ in range(rng.randrange(7)):
        name = ingredients.name(rng, wild)
        if name not in known or wild:
            pairs.append((name.encode(), ingredients.value(rng, wild)))
            known.add(name)
    if pairs and rng.randrange(6) == 0:
        pairs.append(rng.choice(pairs))
    return pairs


def path(rng: random.Random, wild: bool) -> bytes:
    if wild and rng.randrange(4) == 0:
        return rng.choice(ingredients.WILD_PATHS)
    plain = rng.choice(ingredients.PATHS)
    if rng.randrange(8) == 0:
        plain = rng.choice(ingredients.TAME_TURNS) + plain[1:]
    if rng.randrange(12) == 0:
        place = rng.randrange(1, len(plain))
        return plain[:place].encode() + percent(rng, plain[place].encode()) + plain[place + 1 :].encode()
    return plain.encode()


def urlencoded(rng: random.Random, pairs: list[Pair], wild: bool, in_target: bool) -> bytes:
    """`a=b&c=d`, every byte raw or escaped at random where both mean the same."""
    pieces = []
    for name, value in pairs:
        blank = b" " * rng.randrange(1, 3) if rng.randrange(40) == 0 else b""
        left, right = escaped(rng, blank + name, in_target), escaped(rng, value, in_target)
        pieces.append(left if not value and rng.randrange(2) else left + b"=" + right)
    if rng.randrange(20) == 0:
        pieces.insert(rng.randrange(len(pieces) + 1), b"")
    if wild and rng.randrange(20) == 0:
        pieces.append(rng.choice((b"=x", b"=", b"%20=1", b"+=1", b"%00=1", b"a=1;b=2", b"a%5b%5d=1", b"a=%u0041")))
    return b"&".join(pieces)


def escaped(rng: random.Random, data: bytes, in_target: bool) -> bytes:
    eager = rng.choice((0, 0, 3, 10))
    written = bytearray()
    for place, byte in enumerate(data):
        char = bytes([byte])
        # A percent sign may stand raw where what follows cannot complete it, in whatever way that is written.
        lonely = byte == 0x25 and not data[place + 1 : place + 2].isalnum()
        raw = byte in _SAFE or lonely or (byte > 0x7F and not eager) or (byte == 0x0A and not in_target)
        if byte == 0x20 and rng.randrange(2):
            written += b"+"
        else:
            written += char if raw and rng.randrange(10) >= eager else percent(rng, char)
    return bytes(written)


def percent(rng: random.Random, data: bytes) -> bytes:
    return "".join(f"%{byte:02{rng.choice('xX')}}" for byte in data).encode()


def written_body(rng: random.Random, pairs: list[Pair], wild: bool) -> tuple[bytes, bytes]:
    """Content type and body in one of the three forms; wild: sometimes under another's type."""
    kind = rng.randrange(3)
    if kind == 0:
        content_type, body = FORM, urlencoded(rng, pairs, wild, in_target=False)
    elif kind == 1:
        content_type, body = multipart(rng, pairs, wild)
    else:
        content_type, body = b"application/json", json_body(rng, pairs, wild)
    if kind != 1 and rng.randrange(6) == 0:
        content_type += rng.choice((b"; charset=utf-8", b";charset=UTF-8", b'; charset="utf-8"'))
    if rng.randrange(12) == 0:
        content_type = content_type.replace(b"application", b"Application").replace(b"form-data", b"Form-Data")
    if wild and rng.randrange(12) == 0:
        others = (b"text/plain", b"", FORM, b"application/json", b"multipart/form-data", b"application/xml", b"x")
        content_type = rng.choice(
            (*others, FORM + b"; charset=utf-7", FORM + b", application/json", b"application/jsonx")
        )
    return content_type, body


def json_body(rng: random.Random, pairs: list[Pair], wild: bool) -> bytes:
    members = []
    for name, value in pairs:
        text = value.decode("utf-8", "replace")
        same = ingredients.json_string(rng, text, wild)
        written = same if rng.randrange(2) else ingredients.json_text(rng, wild)
        members.append((name.decode("utf-8", "replace"), written))
    if not wild:
        members = list(dict(members).items())
    body = "{" + ingredients.json_pairs(rng, members, wild) + "}"
    if wild and rng.randrange(6) == 0:
        deep = rng.choice((13, 14, 15, 16, 17, 40, 70))
        bent = (
            body + "x",
            body + body,
            "\ufeff" + body,
            f"[{body}]",
            body[:-1],
            body.replace('"', "'"),
            "// c\n" + body,
        )
        body = rng.choice((*bent, body.replace("}", ",}"), '{"a":' + "[" * deep + "]" * deep + "}"))
        if rng.randrange(6) == 0:
            return body.encode("utf-16")
    return (rng.choice(("", "", "\n", " ")) + body + rng.choice(("", "", "\n"))).encode()


def multipart(rng: random.Random, pairs: list[Pair], wild: bool) -> tuple[bytes, bytes]:
    mark = rng.choice(
        (b"----WebKitFormBoundaryAbC123", b"X", b"------------------------d74496d66958873e", b"a'()+_./:=?b")
    )
    quoted = b'"%s"' % mark if rng.randrange(3) == 0 else mark
    content_type = b"multipart/form-data; boundary=" + quoted
    bend = rng.choice(("disposition", "header", "value", "value", "frame", "type")) if wild else ""
    body = b"".join(_part(rng, mark, name, value, bend) for name, value in pairs) + b"--" + mark + b"--"
    body += rng.choice((b"\r\n", b"\r\n", b""))
    if bend == "frame":
        bent = (
            b"preamble\r\n" + body,
            body + b"epilogue",
            body[: -len(mark)],
            body.replace(b"\r\n", b"\n"),
            b"\r\n" + body,
        )
        body = rng.choice((*bent, body.replace(b"--" + mark, b"--" + mark + b" "), body + body))
    if bend == "type":
        types = (b"; charset=utf-8", b"; boundary=other", b", x", b"; boundary")
        content_type = rng.choice(
            (content_type + rng.choice(types), b"multipart/form-data; xboundary=q; boundary=" + mark)
        )
    return content_type, body


def _part(rng: random.Random, mark: bytes, name: bytes, value: bytes, bend: str) -> bytes:
    spelt = name if name.isalnum() and rng.randrange(6) == 0 else b'"%s"' % name
    disposition = rng.choice((b"Content-Disposition", b"content-disposition")) + b": form-data; name=" + spelt
    extra = b""
    if rng.randrange(6) == 0:
        extra = b"\r\nContent-Type: text/plain" + rng.choice((b"", b"; charset=utf-8", b"; charset=UTF-8"))
    if bend == "disposition":
        disposition += rng.choice(
            (
                b'; filename="x"',
                b"; filename*=utf-8''x",
                b'; filename=""',
                b'; name="b"',
                b"; x=y",
                b";",
                b'\r\n ; name="b"',
            )
        )
    if bend == "header":
        extra += rng.choice(
            (
                b"\r\nContent-Transfer-Encoding: base64",
                b"\r\nX: y",
                b"\r\n folded",
                b"\r\nContent-Type: text/html",
                b"\n",
                b"\r",
                b'\r\ncontent-disposition: form-data; name="z"',
                b"\r\nContent-Type: text/plain; charset=utf-7",
                b"\r\n\x00",
            )
        )
    if bend == "value" and rng.randrange(2):
        value += rng.choice(
            (b"\n--" + mark, b"\r\n--" + mark + b"x", b"--" + mark + b"--", b"\r", b"\n", b"\r\n--", b"\x00")
        )
    return b"--" + mark + b"\r\n" + disposition + extra + b"\r\n\r\n" + value + b"\r\n"


def mangled(rng: random.Random, data: bytes, in_target: bool) -> bytes:
    """A few bytes changed, dropped, doubled or put in."""
    bent = bytearray(data)
    for _ in range(rng.randrange(1, 4)):
        place = rng.randrange(len(bent) + 1)
        dice = rng.randrange(4)
        new = rng.choice(b'&=%+;[]._{}"\\,:-\x00\xff\r\n 0aA') if rng.randrange(2) else rng.randrange(256)
        if in_target and new in b"\x00\r\n #":
            new = 0x25
        if dice == 0 and place < len(bent):
            bent[place] = new
        elif dice == 1:
            bent.insert(place, new)
        elif dice == 2:
            del bent[place : place + rng.randrange(1, 4)]
        else:
            bent[place:place] = bent[place : place + rng.randrange(1, 12)]
    return bytes(bent)
