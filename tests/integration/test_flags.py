"""Flag by call: with only that flag a call opens, without it it does not, for every call of the shipped policy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from authgw.catalogue.load import load
from authgw.catalogue.model import Entry
from authgw.rights.claims import Scope
from authgw.rights.dictionary import IMPLIED_BY_ADMIN, KEYS, Place
from kit.samples import SAMPLES, SECTIONS, SQL, Sample, ask, grant
from kit.users import Users, users_of

FLAGS = frozenset(name for name, key in KEYS.items() if key.place is Place.FLAG) - {"is_admin"}
ENTRIES = {entry.name: entry for entry in load(["voipmonitor"], Path()).entries}
NAMING = sorted(
    name for name, entry in ENTRIES.items() if (entry.needs or entry.needs_any or entry.choose) and not entry.refuse
)


CASES = [
    pytest.param(name, sample, id=f"{name} {sample.tag or sample.fields.get('module', '')}".strip())
    for name in NAMING
    for sample in SAMPLES.get(name, ())
]


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Users]:
    with users_of(tmp_path_factory.mktemp("flags")) as found:
        yield found


def test_every_call_that_names_a_flag_is_asked_for_here() -> None:
    """A call of the policy without a sample request here is one whose flag nobody checks."""
    missing = [name for name in NAMING if name not in SAMPLES]
    assert not missing, f"calls without a sample request in SAMPLES: {', '.join(missing)}"
    gone = [name for name in SAMPLES if name not in NAMING]
    assert not gone, f"samples of calls that the policy does not have, or that need no flag: {', '.join(gone)}"
    for name in NAMING:
        entry, stated = ENTRIES[name], {flag for sample in SAMPLES[name] for flag in sample.alone}
        assert stated == {*entry.needs, *entry.needs_any, *(entry.choose.flags.values() if entry.choose else ())}, name
        assert all(lands_on(entry, sample) for sample in SAMPLES[name]), name


def lands_on(entry: Entry, sample: Sample) -> bool:
    hit = load(["voipmonitor"], Path()).match(sample.path, sample.fields)
    return hit is not None and hit[0].name == entry.name


@pytest.mark.parametrize(("name", "sample"), CASES)
def test_only_its_flag_opens_a_call(users: Users, name: str, sample: Sample) -> None:
    """With each flag that is said to open it, alone, the call is carried out; with all others it is refused."""
    for flag in sample.alone:
        opened = ask(users, sample, grant(flag))
        assert opened.status_code == sample.status, (flag, opened.text[:300])
    others = ask(users, sample, grant(*FLAGS - {*sample.alone}))
    assert others.status_code == 403, others.text[:300]
    nobody = ask(users, sample, grant())
    assert nobody.status_code == 403, nobody.text[:300]


@pytest.mark.parametrize(("name", "sample"), CASES)
def test_administrators_open_every_call(users: Users, name: str, sample: Sample) -> None:
    """is_admin implies every flag."""
    answer = ask(users, sample, grant("is_admin", *IMPLIED_BY_ADMIN))
    assert answer.status_code == sample.status, answer.text[:300]


@pytest.mark.parametrize(("name", "sample"), CASES)
def test_what_cannot_be_narrowed_is_closed_to_scoped_users(users: Users, name: str, sample: Sample) -> None:
    """With the flag and a row scope: calls whose reply cannot be narrowed are refused, all others are not."""
    scope = Scope(connected_only=True)
    answer = ask(users, sample, grant(*sample.alone, scope=scope))
    closed = name in UNSCOPED or sample.page
    assert (answer.status_code == 403) == closed, (answer.status_code, answer.text[:300])


# For users without row scope: sums, reports, the GUI's other sections.
UNSCOPED = {
    "cdr-stats",
    "api-report-summary",
    "messages",
    "message-stats",
    "sensors-changes",
    *SECTIONS,
    *(f"{name}-changes" for name in SECTIONS),
}


@pytest.mark.parametrize("path", [entry.path for entry in ENTRIES.values() if entry.refuse == "never"])
def test_some_calls_are_for_nobody(users: Users, path: str) -> None:
    """What is never open is not open to administrators."""
    where = next(entry.where for entry in ENTRIES.values() if entry.path == path and entry.refuse == "never")
    for method in ("GET", "POST"):
        sample = Sample((), path.replace("**", "anything.php"), where, method)
        answer = ask(users, sample, grant("is_admin", *IMPLIED_BY_ADMIN))
        assert answer.status_code == 403, (method, answer.text[:300])


@pytest.mark.parametrize(
    "fields",
    [
        {"task": "LISTING", "module": "users"},
        {"task": "LISTING", "module": "CDRs"},
        {"task": "LISTING", "module": "cdr"},
        {"task": "delete", "module": "CDR"},
        {"task": "LISTING", "module": "system_configuration"},
        {"task": "LISTING"},
        {"module": "CDR"},
    ],
    ids=json.dumps,
)
def test_unknown_calls_are_for_nobody(users: Users, fields: dict[str, str]) -> None:
    """A module or task that the policy does not name is refused to administrators too."""
    answer = ask(users, Sample((), SQL, fields), grant("is_admin", *IMPLIED_BY_ADMIN))
    assert answer.status_code == 403


def test_read_only_dashboards(users: Users) -> None:
    """dashboard_read_only closes the writing calls of dashboards and no others, to administrators too."""
    for flags in (("can_dashboard",), ("is_admin", *IMPLIED_BY_ADMIN)):
        limited = grant(*flags, limits=frozenset({"dashboard_read_only"}))
        assert (ask(users, SAMPLES["dashboards"][0], limited)).status_code == 200
        assert (ask(users, SAMPLES["dashboards-changes"][0], limited)).status_code == 403


@pytest.mark.parametrize("name", [name for name in NAMING if len(ENTRIES[name].needs) == 1 and name in SAMPLES])
def test_a_flag_of_one_grant_opens_no_rows_of_another(users: Users, name: str) -> None:
    """The flag in a grant that sees nothing, the rows in one without it: what cannot be narrowed stays closed, lists
    are empty and objects do not exist."""
    sample = SAMPLES[name][0]
    blind, other = grant(*sample.alone, scope=Scope(sensors=())), grant(*FLAGS - {*sample.alone})
    answer = ask(users, sample, blind, other)
    if name in UNSCOPED - {"cdr-stats"} or sample.page:
        assert answer.status_code == 403
    elif answer.status_code == 200:
        assert no_rows(answer), answer.text[:300]
    else:
        assert answer.status_code == 404, answer.text[:300]


def no_rows(answer: httpx2.Response) -> bool:
    found = answer.json()
    if isinstance(found, list):
        return not found
    return found.get("error") == "no match cdr" or (not found.get("results") and int(found.get("total", 0)) == 0)
