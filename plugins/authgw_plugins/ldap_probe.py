"""Trying each server of a directory for `authgw check --connect`: how it is reached, the bind, the base of searches."""

from __future__ import annotations

from collections.abc import Sequence

from authgw.contract import Failed, Probe
from authgw_plugins.ldap_config import LdapConfig
from authgw_plugins.ldap_directory import Directory, Unanswered, told
from authgw_plugins.ldap_values import Server
from authgw_plugins.workers import Workers


def probes(directory: Directory, config: LdapConfig, workers: Workers) -> Sequence[Probe]:
    """One for each server, whether or not it would be asked."""
    return [_probe(directory, each, config, workers) for each in directory.servers]


def _probe(directory: Directory, to: Server, config: LdapConfig, workers: Workers) -> Probe:
    async def run() -> str | Failed:
        return await workers.run(lambda: _tried(directory, to, config))

    return Probe(to.url, run)


def _tried(directory: Directory, to: Server, config: LdapConfig) -> str | Failed:
    how = "TLS" if to.tls else "StartTLS" if config.tls == "starttls" else "no TLS"
    try:
        session = directory.connect(to)
    except Exception as error:
        return Failed(told(error))
    try:
        if config.bind_dn is None:
            return f"reached by {how}; without a service account there is nothing more to try"
        if session.read(config.base_dn, "(objectClass=*)", ["1.1"]) is None:
            return Failed(f"base_dn: there is no {config.base_dn}, or bind_dn may not read it")
        return f"reached by {how}, bound as {config.bind_dn}, base_dn found"
    except Unanswered as error:
        return Failed(str(error))
    finally:
        session.close()
