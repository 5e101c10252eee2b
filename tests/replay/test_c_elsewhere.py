"""Weaknesses of the list that are not replayed in this folder, each with the reason or the place where it is."""

from __future__ import annotations

import re
from pathlib import Path

NO_SSO = "no login by redirect: neither OpenID Connect nor SAML is spoken"
NO_SECOND = "no second factor yet: who needs one is refused"
NO_WRITES = "nothing of users, rights or factors can be changed over HTTP"
NO_DIRECTORY = "no directory is asked"
ELSEWHERE = {
    "CVE-2026-54762": "files that cannot be read: tests/integration/test_refusal_files.py",
    "CVE-2026-27586": "files that cannot be read: tests/integration/test_refusal_files.py",
    "CVE-2022-35957": "one plugin's own name for a user decides; there are no attributes to choose from",
    "CVE-2021-29652": "signed texts are the login form's: tests/unit/login/test_attempt.py",
    "CVE-2019-14857": NO_SSO,
    "CVE-2026-41569": NO_SSO,
    "CVE-2023-48228": NO_SSO,
    "CVE-2026-114617": NO_SSO,
    "CVE-2024-37568": NO_SSO,
    "CVE-2026-18569": NO_SSO,
    "CVE-2020-27846": NO_SSO,
    "CVE-2026-82470": NO_SECOND,
    "CVE-2026-107276": NO_SECOND,
    "CVE-2026-94218": NO_SECOND,
    "CVE-2026-49448": NO_SECOND,
    "CVE-2026-95754": NO_SECOND,
    "CVE-2024-37905": NO_WRITES,
    "CVE-2026-25227": "explaining is a command of the operator's own, not a page",
    "CVE-2026-18203": NO_DIRECTORY,
    "CVE-2020-16093": NO_DIRECTORY,
    "CVE-2024-52307": "no secret is compared over HTTP but hashes of random ids",
    "CVE-2025-49825": "no other protocol than HTTP",
    "CVE-2026-21724": NO_WRITES,
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
