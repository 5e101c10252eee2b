"""The one exception family. An exception means that a human must look; expected outcomes are values."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import msgspec

from authgw.reasons import Reason


class Problem(msgspec.Struct, frozen=True, order=True):
    """One mistake in a file, located: the file, the key (or line) in it, what is wrong and what to do."""

    source: str
    where: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.source, self.where, self.message) if part)


class AuthgwError(Exception):
    """Base of everything that authgw raises on purpose."""


class ConfigError(AuthgwError):
    """Files that cannot be used. Carries every problem found, each once, not only the first."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


@contextlib.contextmanager
def collected(problems: list[Problem]) -> Iterator[None]:
    """Go on after mistakes, so that all of them are reported together."""
    try:
        yield
    except ConfigError as error:
        problems.extend(error.problems)


class UpstreamError(AuthgwError):
    """The GUI could not be asked, or answered what cannot be understood."""

    def __init__(self, reason: Reason, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}: {detail}")


class StoreError(AuthgwError):
    """The session store (or the database behind the epochs) could not be asked."""
