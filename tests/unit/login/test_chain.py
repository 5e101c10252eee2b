"""The chain: which plugin decides."""

from __future__ import annotations

import asyncio
import itertools
import logging
from typing import Any

import pytest

from authgw.contract import Credentials, Failed, Granted, NotMine, Rejected
from authgw.login.chain import Instance, Verdict, ask, version
from authgw.reasons import Reason
from kit.logins import Scripted, granted

pytestmark = pytest.mark.anyio
WHO = Credentials("alice", "secret")
G, R, N, F, B = granted(), Rejected("wrong"), NotMine(), Failed("down"), Failed("full", busy=True)


async def run(*links: tuple[Any, str, bool], seconds: float = 5.0) -> tuple[Verdict, list[Scripted]]:
    plugins = [Scripted(answer) for answer, _, _ in links]
    instances = [
        Instance(f"p{at}", plugin, on_failure, sufficient)
        for at, (plugin, (_, on_failure, sufficient)) in enumerate(zip(plugins, links, strict=True))
    ]
    return await ask(instances, WHO, seconds=seconds), plugins


@pytest.mark.parametrize(
    ("links", "decided", "reason", "asked"),
    [
        ([(G, "stop", True), (R, "stop", True)], "p0", None, 1),
        ([(R, "stop", True), (G, "stop", True)], "p0", Reason.BAD_CREDENTIALS, 1),
        ([(R, "stop", False), (G, "stop", True)], "p1", None, 2),
        ([(R, "stop", False), (N, "stop", True)], "p0", Reason.BAD_CREDENTIALS, 2),
        ([(N, "stop", True), (G, "stop", True)], "p1", None, 2),
        ([(N, "stop", True), (N, "stop", True)], "", Reason.BAD_CREDENTIALS, 2),
        ([(F, "stop", True), (G, "stop", True)], "p0", Reason.LOGIN_FAILED, 1),
        ([(F, "next", True), (G, "stop", True)], "p1", None, 2),
        ([(F, "next", True), (R, "stop", True)], "p0", Reason.LOGIN_FAILED, 2),
        ([(F, "next", True), (N, "stop", True)], "p0", Reason.LOGIN_FAILED, 2),
        ([(R, "stop", False), (F, "next", True)], "p1", Reason.LOGIN_FAILED, 2),
        ([(B, "stop", True), (G, "stop", True)], "p0", Reason.LOGIN_BUSY, 1),
        ([(B, "next", True), (F, "next", True)], "p1", Reason.LOGIN_FAILED, 2),
        ([], "", Reason.BAD_CREDENTIALS, 0),
    ],
)
async def test_who_decides(links: list[Any], decided: str, reason: Reason | None, asked: int) -> None:
    """Granted and a sufficient rejection stop, the rest goes on as configured, and a failure is never a rejection."""
    verdict, plugins = await run(*links)
    assert (verdict.login, verdict.reason) == (decided, reason)
    assert sum(len(plugin.asked) for plugin in plugins) == asked == len(verdict.tried)


async def test_every_chain_of_three() -> None:
    """Over all chains of three: claims come only from a Granted that was reached, read by the rule alone."""
    for links in itertools.product([G, R, N, F], ["stop", "next"], [True, False]):
        for rest in itertools.product(
            [(G, "stop", True), (R, "stop", True), (N, "stop", True), (F, "next", True)], repeat=2
        ):
            chain = [links, *rest]
            reached: Any = None
            failed = False
            for answer, on_failure, sufficient in chain:
                if answer is G:
                    reached = G
                    break
                failed = failed or answer is F
                if (answer is R and sufficient) or (answer is F and on_failure == "stop"):
                    break
            verdict, _ = await run(*chain)
            assert verdict.granted is reached
            if reached is None:
                assert verdict.reason is (Reason.LOGIN_FAILED if failed else Reason.BAD_CREDENTIALS)


@pytest.mark.parametrize("broken", [RuntimeError("secret"), ValueError(), KeyError("x")])
async def test_an_exception_is_a_failure(broken: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """What a plugin raises counts as Failed, and the log repeats none of its words: they may quote the password."""
    with caplog.at_level(logging.DEBUG):
        verdict, _ = await run((broken, "stop", True), (G, "stop", True))
    assert verdict.reason is Reason.LOGIN_FAILED
    assert "secret" not in caplog.text
    assert type(broken).__name__ in caplog.text


async def test_a_silent_plugin_is_a_failure() -> None:
    """A plugin that never answers has failed when its time is over."""
    verdict, _ = await run((asyncio.Event(), "stop", True), seconds=0.01)
    assert verdict.reason is Reason.LOGIN_FAILED
    assert "no answer" in verdict.tried[0].detail


@pytest.mark.parametrize("nonsense", [True, {"id": 1}, "ok", 1, Granted])
async def test_nonsense_is_a_failure(nonsense: object) -> None:
    """Only the four outcomes are outcomes; a truthy something opens nothing."""
    verdict, _ = await run((nonsense if nonsense is not Granted else [Granted], "stop", True))
    assert verdict.reason is Reason.LOGIN_FAILED


@pytest.mark.parametrize(
    ("links", "counts"),
    [([(F, "stop", True)], False), ([(F, "next", True), (R, "stop", True)], True), ([(N, "stop", True)], True),
     ([(F, "next", True), (N, "stop", True)], True)],
)  # fmt: skip
async def test_what_counts_as_a_guess(links: list[Any], counts: bool) -> None:
    """A guess is one as soon as any plugin has judged it; an outage alone is nobody's fault."""
    verdict, _ = await run(*links)
    assert verdict.counts is counts


def test_version_follows_plugins_and_options() -> None:
    """What was verified before is void when a plugin's file, its options or the order of the chain change."""
    one, other = Scripted(G), Scripted(G)
    first = version([Instance("a", one, digest="x"), Instance("b", other)])
    assert version([Instance("a", one, digest="x"), Instance("b", other)]) == first
    assert version([Instance("b", other), Instance("a", one, digest="x")]) != first
    assert version([Instance("a", one, digest="y"), Instance("b", other)]) != first
    other.stamp = "2"
    assert version([Instance("a", one, digest="x"), Instance("b", other)]) != first
