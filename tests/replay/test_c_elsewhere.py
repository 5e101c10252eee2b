"""Weaknesses of the list that are not replayed in this folder, each with the reason or the place where it is."""

from __future__ import annotations

import re
from pathlib import Path

FAULTS = "a provider that lies: tests/integration/login/test_oidc_faults.py"
ELSEWHERE = {
    "CVE-2026-54762": "files that cannot be read: tests/integration/test_refusal_files.py",
    "CVE-2026-27586": "files that cannot be read: tests/integration/test_refusal_files.py",
    "CVE-2022-35957": "one plugin's own name for a user decides; there are no attributes to choose from",
    "CVE-2021-29652": "signed texts are the login form's: tests/unit/login/test_attempt.py",
    "CVE-2019-14857": "where a login at a provider leads: tests/unit/login/test_target.py",
    "CVE-2026-41569": "where a login at a provider leads: tests/unit/login/test_target.py",
    "CVE-2023-48228": FAULTS,
    "CVE-2026-114617": FAULTS,
    "CVE-2024-37568": FAULTS,
    "CVE-2026-18569": "logout tokens: tests/integration/login/test_oidc_logout.py",
    "CVE-2020-27846": "no SAML is spoken; a proxy in front may speak it",
    "CVE-2026-107276": "one code at once over four instances: tests/integration/login/test_factor_race.py",
    "CVE-2024-37905": "tokens and rights of others: tests/integration/account/test_tokens_serve.py",
    "CVE-2026-25227": "explaining is a command of the operator's own, not a page",
    "CVE-2026-18203": "groups are compared whole: tests/unit/rights/test_mapping.py",
    "CVE-2020-16093": "wrong certificates: tests/integration/login/test_ldap_servers.py",
    "CVE-2024-52307": "no secret is compared over HTTP but hashes of random ids",
    "CVE-2025-49825": "no other protocol than HTTP",
    "CVE-2026-21724": "users and rights cannot be written over HTTP, but for one's own password",
}


def test_every_weakness_stands_once() -> None:
    """What is replayed is not also listed as out of place, and every reason is one."""
    here = Path(__file__)
    text = "".join(path.read_text() for path in sorted(here.parent.glob("test_c[0-9]*.py")))
    replayed = set(re.findall(r"CVE-\d{4}-\d+", text))
    assert len(replayed) > 50
    assert not replayed & ELSEWHERE.keys()
    assert all(len(reason) > 15 for reason in ELSEWHERE.values())
    named = [word for reason in ELSEWHERE.values() for word in reason.split() if word.startswith("tests/")]
    assert all((here.parents[2] / path).exists() for path in named)
