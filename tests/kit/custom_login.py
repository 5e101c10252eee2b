"""An operator's custom_login.php in a folder, and the php login over it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from authgw.contract import Credentials, Granted, Outcome
from authgw_plugins.php import Php, PhpConfig

WHO = Credentials("alice", "secret")
GRANT = "return array('id' => 101, 'username' => $user, 'can_cdr' => true);"


def script(folder: Path, text: str) -> Path:
    """A custom_login.php: the text as it is, or as the body of the function."""
    path = folder / "custom_login.php"
    whole = text if text.startswith("<?php") else f"<?php\nfunction custom_login($user, $password) {{\n{text}\n}}\n"
    path.write_text(whole, "utf-8", "surrogateescape")
    path.chmod(0o600)
    return path


@asynccontextmanager
async def opened(folder: Path, text: str, **more: Any) -> AsyncIterator[Php]:
    plugin = Php(PhpConfig(script=script(folder, text), **more))
    await plugin.open()
    try:
        yield plugin
    finally:
        await plugin.close()


async def answer(folder: Path, text: str, who: Credentials = WHO, **more: Any) -> Outcome:
    async with opened(folder, text, **more) as plugin:
        return await plugin.login(who)


def dictionary(outcome: Outcome) -> dict[str, Any]:
    assert isinstance(outcome, Granted), outcome
    return dict(outcome.rights[0].dictionary)
