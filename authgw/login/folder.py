"""Login plugins in a folder of .py files: each file is one plugin, under the file's own name.

What lies there runs inside the gateway, with all its secrets: a folder or a file that others may change is refused.
Of the plugins the text alone counts: what Python keeps of it in `__pycache__` is neither read nor written, for with a
usual umask others may write there.
"""

from __future__ import annotations

import importlib.util
import os
import stat
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

from authgw.contract import Login
from authgw.errors import ConfigError, Problem

_PREFIX = "authgw_folder_"


class _Text(SourceFileLoader):
    """Compiles the text each time."""

    def path_stats(self, path: str) -> dict[str, Any]:
        raise OSError("what was compiled before does not count")


def found(folder: Path) -> dict[str, Path]:
    """Files by plugin name; names that begin with `_` are no plugins. ConfigError: others may change what is there."""
    problems = _writable(folder)
    if problems:
        raise ConfigError(problems)
    files = [file for file in sorted(folder.glob("*.py")) if not file.name.startswith("_")]
    # What a plugin imports from beside it counts as much as the plugin.
    problems = [problem for file in sorted(folder.glob("*.py")) for problem in _writable(file)]
    if problems:
        raise ConfigError(problems)
    return {file.stem: file for file in files}


def load(file: Path) -> type[Login]:
    """The one login of a file. ImportError: it has none, or several; whatever the file itself raises."""
    name = _PREFIX + file.stem
    spec = importlib.util.spec_from_file_location(name, file, loader=_Text(name, str(file)))
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    made = [each for each in vars(module).values() if isinstance(each, type) and each.__module__ == name]
    logins = [each for each in made if _is_login(each)]
    if len(logins) != 1:
        names = ", ".join(each.__name__ for each in logins) or "none"
        raise ImportError(f"must define one class with Config, open, close, login and refresh; has {names}")
    return logins[0]


def _is_login(each: type) -> bool:
    parts = ("Config", "open", "close", "login", "refresh")
    return not each.__name__.startswith("_") and all(hasattr(each, part) for part in parts)


def _writable(path: Path) -> list[Problem]:
    try:
        state = path.stat()
    except OSError as error:
        return [Problem(str(path), "", f"cannot be read: {error.strerror}")]
    if state.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return [Problem(str(path), "", f"others can write it; run: chmod go-w {path}")]
    if state.st_uid not in (0, os.geteuid()):
        return [Problem(str(path), "", "belongs to another user, who can change it; give it to root")]
    return []
