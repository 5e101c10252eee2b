"""Why something over a network could not be asked, in words that say what to look at. For whoever set it up.

Libraries hide the cause of a failure under their own, or keep only its text: so it is told by the text of the whole
chain. Nothing of that text goes on, for a peer may have written it.
"""

from __future__ import annotations

import re

# What a chain of errors says, and what that means. The first that fits counts.
_KINDS = (
    (r"certificate has expired", "its certificate has expired; renew that of the host in {address}"),
    (r"certificate is not yet valid", "its certificate is not valid yet; look at the clocks of both machines"),
    (
        r"mismatch, certificate|certificate is not valid for|doesn't match",
        "its certificate is for another name; {address} must name it as the certificate does",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|certificate verify failed|certificate is not trusted",
        "its certificate is by an authority that is not trusted here; {trust} must name that authority's own",
    ),
    (r"(?i)timed out|time-?out", "no answer in time; see {address}{wait}, and whether it is busy or cut off"),
    (
        r"(?i)err(no|or) -[2358]\b|name or service not known|name resolution|failed to resolve|invalid server address",
        "its name is not known to this machine; see {address}, and the machine's DNS",
    ),
    (
        r"(?i)connection ?refused|err(no|or) 111\b|connect call failed",
        "nothing listens there; see {address}: the host, the port, and whether it runs",
    ),
    (
        r"(?i)no route to host|(network|host) is unreachable",
        "no way leads there; see {address}, and the network between",
    ),
    (r"\[SSL|SSLError", "no TLS connection; see {address}: is that its port for TLS?"),
    (
        r"(?i)reset by peer|broken pipe|terminated by server|disconnected|closed|lost conn",
        "it hangs up; see {address}: is that the right port?",
    ),
    (r"ProtocolError|InvalidResponse", "what answers there speaks another protocol; see {address}"),
)


def unreached(error: BaseException | str, *, address: str, trust: str = "the system", wait: str = "") -> str:
    """In one line; empty where it is none of the known kinds. `address`, `trust` and `wait`: the settings that name the
    place, the trusted authorities and the time-out."""
    said = error if isinstance(error, str) else _chain(error)
    for pattern, words in _KINDS:
        if re.search(pattern, said):
            return words.format(address=address, trust=trust, wait=f", {wait}" if wait else "")
    return ""


def _chain(error: BaseException) -> str:
    """Names and texts of an error and of what led to it."""
    found: list[str] = []
    one: BaseException | None = error
    while one is not None and len(found) < 10:
        found.append(f"{type(one).__name__}: {str(one)[:1000]}")
        one = one.__cause__ or one.__context__
    return "\n".join(found)
