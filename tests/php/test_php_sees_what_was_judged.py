"""The proof of intake: whatever the gateway lets through, a real PHP sees exactly as the gateway judged it."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator

import pytest

from authgw.intake.encode import as_text
from authgw.intake.ids import cdr_id
from authgw.intake.json import strict
from authgw.intake.read import Limits, read
from authgw.intake.request import Body, Refused
from php.corpus import LET_THROUGH, REFUSED
from php.oracle import Outcome, Php, compare, php_server
from php.trial import run

COUNT = 10_000


@pytest.fixture(scope="module")
def php(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Php]:
    with php_server(tmp_path_factory.mktemp("php")) as server:
        yield server


@pytest.fixture(scope="module")
def seed() -> int:
    given = os.environ.get("AUTHGW_SEED")
    return int(given) if given else random.SystemRandom().randrange(2**32)


@pytest.mark.parametrize("case", LET_THROUGH)
def test_php_sees_each_good_request_as_judged(php: Php, case: str) -> None:
    """A hand-written request that real clients may send is let through, and PHP agrees with every part of it."""
    outcome, _, wrong = compare(php, LET_THROUGH[case])
    assert (outcome, wrong) == (Outcome.COMPARED, [])


@pytest.mark.parametrize("case", REFUSED)
def test_each_ambiguous_request_is_refused(case: str) -> None:
    """A hand-written request that two readers could read differently is refused for the reason it deserves."""
    raw, reason = REFUSED[case]
    answer = read(raw, Limits())
    assert isinstance(answer, Refused)
    assert answer.reason is reason


def test_php_sees_generated_requests_as_judged(
    php: Php, seed: int, record_property: Callable[[str, object], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Of 10,000 generated requests each one let through is to PHP what it was to the gateway, and many are."""
    tally = run(php, COUNT, seed)
    line = tally.line(seed, COUNT)
    record_property("seed", seed)
    with capsys.disabled():
        print(f"\n{line}")
    assert not tally.disagreements, f"{line}\n{tally.disagreements}"
    let_through = COUNT - tally.outcomes[Outcome.REFUSED]
    assert COUNT // 3 < let_through < COUNT * 9 // 10, line
    assert tally.outcomes[Outcome.UNHEARD] < let_through // 20, line
    assert all(tally.forms[form] > COUNT // 50 for form in Body), line


def test_an_accepted_id_is_the_same_integer_to_php(php: Php, seed: int) -> None:
    """Texts that PHP's intval would take for some integer are ids only where both mean the same one."""
    rng = random.Random(seed)
    texts = ["12abc", " 12", "12 ", "12.9", "1e1", "+12", "-1", "0", "012", "0x1A", "1_0", "", "٣", "９", "12\n", "½"]
    texts += ["1", "9223372036854775806", "9223372036854775807", "9223372036854775808", "9999999999999999999", "1" * 20]
    texts += [str(rng.randrange(1, 10 ** rng.randrange(1, 20))) for _ in range(300)]
    texts += [str(rng.randrange(10**6)) + rng.choice("eE.xX+- ,\t\n\x00a0") for _ in range(100)]
    accepted = [(text, number) for text, number in zip(texts, php.integers(texts), strict=True) if cdr_id(text)]
    assert [(text, cdr_id(text)) for text, _ in accepted] == accepted
    assert len(accepted) > 200


def test_a_json_scalar_means_the_same_to_php_as_its_text(php: Php) -> None:
    """true, false, null and numbers are equal, and alike in a condition, to the texts they become in a form."""
    scalars = ["true", "false", "null", "0", "1", "-1", "12", "9223372036854775807", "-9223372036854775808"]
    scalars += ["1.5", "1.0", "0.1", "1e22", "1E-3", "5e-324", "1.7976931348623157e308", '"a"', '""', '"12abc"', '"0"']
    answers = php.same([(scalar, as_text(strict(scalar))) for scalar in scalars])
    assert dict(zip(scalars, answers, strict=True)) == dict.fromkeys(scalars, True)
    assert php.same([("false", "false"), ("null", "null"), ("false", "1")]) == [False] * 3, "the oracle can say no"
