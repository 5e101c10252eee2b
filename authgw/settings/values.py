"""How single settings are spelt: durations, sizes, addresses, URLs, lists. Each reader says what to write instead."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

import msgspec
from pydantic import BeforeValidator, ValidationInfo

Network = IPv4Network | IPv6Network

_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_BYTES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_LONGEST = 366 * 86400
_LARGEST = 2**40
_SEGMENT = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9._~-]*")
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?")


class Listen(msgspec.Struct, frozen=True):
    """Where to accept connections. Port 0: any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def duration(value: Any) -> float:
    """`"30s"` in seconds; units ms, s, m, h, d. Zero and bare numbers are refused."""
    found = re.fullmatch(r"(\d{1,9})(ms|s|m|h|d)", value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError('is not a duration; write a whole number with ms, s, m, h or d, for example "30s"')
    seconds = int(found[1]) * _SECONDS[found[2]]
    if not 0 < seconds <= _LONGEST:
        raise ValueError("must be longer than nothing and at most 366d; write another duration")
    return float(seconds)


def duration_or_off(value: Any) -> float:
    """The same, or 0 for "off"."""
    return 0.0 if value == "off" else duration(value)


def size(value: Any) -> int:
    """`"64KiB"` in bytes; units B, KB, MB, GB, KiB, MiB, GiB. Zero and bare numbers are refused."""
    found = re.fullmatch(r"(\d{1,12}) ?(B|KB|MB|GB|KiB|MiB|GiB)", value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError('is not a size; write a whole number with B, KiB, MiB, GiB, KB, MB or GB, for example "1MiB"')
    octets = int(found[1]) * _BYTES[found[2]]
    if not 0 < octets <= _LARGEST:
        raise ValueError("must be more than nothing and at most 1024GiB; write another size")
    return octets


def whole(value: Any) -> int:
    """A whole number; the environment spells it in decimal digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,15}", value):
        return int(value)
    raise ValueError("must be a whole number; write it in digits, without quotes")


def switch(value: Any) -> bool:
    """true or false; the environment spells them as text."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in ("true", "false"):
        return value == "true"
    raise ValueError("must be true or false")


def text(value: Any) -> str:
    """Text that is not empty and holds no control characters."""
    if not isinstance(value, str):
        raise ValueError("must be text; write it in quotes")
    if not value or value != value.strip() or any(ord(char) < 32 or ord(char) == 127 for char in value):
        raise ValueError("must not be empty, begin or end with blanks, or hold control characters; write it again")
    return value


def texts(value: Any) -> tuple[str, ...]:
    """A list of texts; the environment spells it with commas."""
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise ValueError('must be a list of texts; write it as ["one", "two"]')
    repeated = sorted({item for item in value if value.count(item) > 1})
    if repeated:
        raise ValueError(f"names {', '.join(repeated)} twice; name each once")
    return tuple(map(text, value))


def path(value: Any, info: ValidationInfo) -> Path:
    """A path, taken from the configuration file's folder unless absolute (context key `folder`)."""
    if not isinstance(value, str | Path) or not str(value).strip() or "\0" in str(value):
        raise ValueError("must name a file; write its path in quotes")
    return Path((info.context or {}).get("folder", Path())) / value


def listen(value: Any) -> Listen:
    """`host:port` or `[v6]:port`."""
    found = (
        re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\[\]:/\s]+)):(\d{1,5})", value) if isinstance(value, str) else None
    )
    if found is None or int(found[3]) > 65535:
        raise ValueError('is not an address to listen on; write "127.0.0.1:8080", "0.0.0.0:8080" or "[::1]:8080"')
    if found[1] is not None:
        try:
            ip_address(found[1])
        except ValueError:
            raise ValueError(f"{found[1]} is not an IPv6 address; write for example [::1]:8080") from None
    elif not _is_host(found[2]):
        raise ValueError(f"{found[2]} is neither an IPv4 address nor a host name; write one of them")
    return Listen(found[1] or found[2], int(found[3]))


def networks(value: Any) -> tuple[Network, ...]:
    """Addresses and networks in CIDR form. Bits below the mask are a mistake here: something else was meant."""
    found: list[Network] = []
    wrong: list[str] = []
    for item in texts(value):
        try:
            found.append(ip_network(item))
        except ValueError:
            wrong.append(item)
    if wrong:
        raise ValueError(f'{", ".join(wrong)}: no address and no network; write for example "10.0.0.5" or "10.0.0.0/8"')
    return tuple(found)


def url(value: Any) -> str:
    """An http(s) URL of a host and at most a base path, without the slash at its end; the host in lower case."""
    example = 'write it like "https://voip.example.com" or "https://voip.example.com/demo"'
    if not isinstance(value, str) or not value.isascii() or re.search(r"[\x00-\x20\x7f\\]", value):
        raise ValueError(f"is not a URL; {example}")
    parts = split(value)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"is not an http or https URL; {example}")
    if "@" in parts.netloc:
        raise ValueError("must not carry a user name or password; take them out of the URL")
    if "?" in value or "#" in value:
        raise ValueError("must have neither a query nor a fragment; take them off")
    host = parts.hostname
    if not _is_address(host) and not _is_host(host):
        raise ValueError(f"{host} is not a host name; {example}")
    base = parts.path.rstrip("/")
    if base and not (base.startswith("/") and all(map(_SEGMENT.fullmatch, base[1:].split("/")))):
        raise ValueError("its path may hold plain names between single slashes only; write for example /demo")
    netloc = f"[{host}]" if ":" in host else host
    if parts.port is not None:
        netloc += f":{parts.port}"
    return f"{parts.scheme}://{netloc}{base}"


def split(value: str) -> SplitResult | None:
    """A URL in parts; None where brackets or port are wrong."""
    try:
        parts = urlsplit(value)
        return None if parts.port == 0 or parts.netloc.endswith(":") else parts
    except ValueError:
        return None


def is_loopback(host: str) -> bool:
    """Whether a host of a URL is this machine itself."""
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_host(host: str) -> bool:
    if len(host) > 253 or _HOST.fullmatch(host) is None or any(len(label) > 63 for label in host.split(".")):
        return False
    # A name whose last label is a number is meant as an IPv4 address, and then it has to be one.
    return not host.rstrip(".").rpartition(".")[2].isdigit() or _is_address(host)


Seconds = Annotated[float, BeforeValidator(duration)]
SecondsOrOff = Annotated[float, BeforeValidator(duration_or_off)]
Octets = Annotated[int, BeforeValidator(size)]
Whole = Annotated[int, BeforeValidator(whole)]
Switch = Annotated[bool, BeforeValidator(switch)]
Text = Annotated[str, BeforeValidator(text)]
Texts = Annotated[tuple[str, ...], BeforeValidator(texts)]
FilePath = Annotated[Path, BeforeValidator(path)]
Address = Annotated[Listen, BeforeValidator(listen)]
Networks = Annotated[tuple[Network, ...], BeforeValidator(networks)]
Url = Annotated[str, BeforeValidator(url)]
