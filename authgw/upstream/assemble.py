"""The GUI's client, as the settings say."""

from __future__ import annotations

import ssl
from pathlib import Path

from authgw.errors import ConfigError, Problem
from authgw.settings import Settings
from authgw.upstream.account import Account
from authgw.upstream.anonymous import Anonymous
from authgw.upstream.client import Base, Client, ClientLimits


def upstream_of(settings: Settings) -> Account | Anonymous:
    """To be made inside the loop, and closed. ConfigError: a file of TLS that cannot be used."""
    ours = settings.upstream
    limits = ClientLimits(
        connect=ours.connect_timeout,
        send=ours.send_timeout,
        reply=ours.reply_timeout,
        idle=ours.idle_timeout,
        whole=ours.whole_timeout,
        pool=max(64, ours.pool + ours.pool // 4 + 1),
    )
    client = Client(Base.from_url(ours.url), limits, context=context_of(settings))
    if ours.identity == "none" or ours.username is None or ours.password is None:
        return Anonymous(client, pool_size=ours.pool)
    return Account(client, ours.username, ours.password.get_secret_value(), pool_size=ours.pool)


def context_of(settings: Settings) -> ssl.SSLContext | None:
    """TLS to the GUI: its name and its certificate's signer are always verified."""
    ours = settings.upstream
    if not ours.url.startswith("https://"):
        return None
    try:
        context = ssl.create_default_context(cafile=ours.ca_file)
    except (OSError, ssl.SSLError) as error:
        advice = "name a PEM file with the certificates to trust"
        raise ConfigError([_unusable("upstream.ca_file", ours.ca_file, error, advice)]) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ours.certificate_file is not None:
        try:
            context.load_cert_chain(ours.certificate_file, ours.key_file, password=_no_password)
        except (OSError, ssl.SSLError, ValueError) as error:
            advice = "name a PEM file with certificate and key, or the key's own as upstream.key_file"
            raise ConfigError([_unusable("upstream.certificate_file", ours.certificate_file, error, advice)]) from error
    return context


def _no_password() -> str:
    """Nobody is there to type one: a key that needs it cannot be used."""
    raise ValueError("its key is encrypted")


def _unusable(setting: str, file: Path | None, error: Exception, advice: str) -> Problem:
    return Problem(setting, str(file), f"cannot be used ({_why(error)}); {advice}")


def _why(error: Exception) -> str:
    return getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
