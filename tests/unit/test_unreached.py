"""What cannot be asked over a network is told in words that say what to look at."""

from __future__ import annotations

import errno
import re
import socket
import ssl

import pytest

from authgw.unreached import unreached


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), "nothing listens there; see url: "),
        (
            socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
            "its name is not known to this machine; see url",
        ),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), "its name is not known"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "no way leads there; see url"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "no way leads there; see url"),
        (TimeoutError("timed out"), "no answer in time; see url, seconds, "),
        (TimeoutError(), "no answer in time; see url, seconds, "),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), "no TLS connection; see url: "),
        (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), "it hangs up; see url: "),
        (
            "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired",
            "renew that of the host in url",
        ),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] …: certificate is not yet valid", "look at the clocks"),
        (
            "[SSL: CERTIFICATE_VERIFY_FAILED] …: Hostname mismatch, certificate is not valid for 'a'.",
            "url must name it",
        ),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] …: self-signed certificate", "not trusted here; ca_file must name"),
    ],
    ids=str,
)
def test_what_to_look_at(error: BaseException | str, said: str) -> None:
    """The setting that names the place, the one for trusted authorities, or the one for the time-out is named."""
    assert said in unreached(error, address="url", trust="ca_file", wait="seconds")


def test_the_cause_is_looked_for() -> None:
    """It counts where a library hides it below an error of its own, and no class or foreign text comes out."""
    try:
        try:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "hunter2: Connection refused")
        except OSError:
            raise ValueError("LDAPSocketOpenError: hunter2")  # noqa: B904 - as libraries do
    except ValueError as error:
        told = unreached(error, address="servers")
    assert told.startswith("nothing listens there")
    assert "hunter2" not in told
    assert not re.search(r"[a-z][A-Z]", told)


def test_what_is_not_known() -> None:
    """Of an error that has nothing to do with the network nothing is said."""
    assert unreached(ValueError("a comma is missing"), address="url") == ""
