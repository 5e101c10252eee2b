"""The house rules that a machine can check: who may import what, banned names, sizes, and that every room is tested."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# fmt: off
PURE_STDLIB = frozenset({
    "__future__", "base64", "binascii", "bisect", "collections", "contextlib", "copy",
    "dataclasses", "datetime", "decimal", "difflib", "enum", "fnmatch", "fractions",
    "functools", "hashlib", "heapq", "hmac", "html", "ipaddress", "itertools",
    "json", "math", "operator", "posixpath", "re", "string", "struct",
    "textwrap", "tomllib", "types", "typing", "unicodedata", "urllib.parse", "zoneinfo",
})
# fmt: on
"""Standard modules that a pure room may use: they read no file, no clock, no network and no randomness."""

PURE_SHARED = ("msgspec", "authgw.errors", "authgw.reasons")
"""What every pure room may import besides the standard modules and the other pure rooms."""

PURE_ROOMS = ("authgw.rights", "authgw.catalogue", "authgw.policy", "authgw.intake")
"""The rooms that only compute, whole."""

PURE_FILES_OF_ROOMS = (
    "authgw.narrow.patterns",
    "authgw.narrow.rewrite",
    "authgw.narrow.scope",
    "authgw.narrow.width",
    "authgw.session.model",
    "authgw.upstream.api",
)
"""Beginnings of module names: the files of other rooms that only compute, such as scope.py and scope_compile.py."""

READS_FILES_AT_START = {"load.py": {"pathlib", "os", "importlib.resources"}, "groups.py": {"pathlib"}}
"""File names inside pure rooms that turn files into values once, at start, and what they may import for it."""

ALSO = {
    "authgw.intake": {"python_multipart"},  # a parser of bytes, without I/O
    "authgw.catalogue": {"pydantic"},  # checks the tables of a policy file, every mistake at once
}
"""Third parties that one pure room may use besides those for all, because they only compute."""

CLOCKS = {
    "datetime.now": "take the time as a parameter",
    "datetime.utcnow": "take the time as a parameter",
    "datetime.today": "take the time as a parameter",
    "date.today": "take the date as a parameter",
    "time.time": "take the time as a parameter",
    "time.monotonic": "take the time as a parameter",
}
"""Calls that a pure room may not make although the module itself is allowed, and what to do instead."""

BANNED_NAMES = {
    "BaseHTTPMiddleware": "write a pure ASGI callable: that class buffers, breaks disconnects and costs tenfold",
    "request.url": "decide on the canonical request: it is built from the Host header, which the client writes",
}

PLUGIN_MAY_IMPORT = ("authgw.contract", "authgw_plugins")

SIZE_LIMITS = {"authgw": 300, "plugins": 300, "bench": 300, "tests": 400}
"""Lines a source file may have, by top folder."""


def sources(top: str) -> list[Path]:
    """Every source file below a top folder, as paths relative to the repository."""
    found = (path.relative_to(ROOT) for path in (ROOT / top).rglob("*.py"))
    return sorted(path for path in found if "data" not in path.parts and "__pycache__" not in path.parts)


def module_name(path: Path) -> str:
    """authgw/rights/claims.py is authgw.rights.claims, a package is its folder."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), str(path))


def under(module: str, prefix: str) -> bool:
    return module == prefix or module.startswith(prefix + ".")


def is_pure(module: str) -> bool:
    """Whether the import rule of the pure rooms holds for a module."""
    return any(under(module, room) for room in PURE_ROOMS) or module.startswith(PURE_FILES_OF_ROOMS)


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of every module that a file imports, also inside functions.

    `from a import b` counts as a.b where that is a file of ours, else as a.
    """
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = module_name(path).split(".")
                keep = len(package) - node.level + (path.name == "__init__.py")
                base = ".".join([*package[:keep], *([base] if base else [])])
            for alias in node.names:
                yield node.lineno, f"{base}.{alias.name}" if is_module(f"{base}.{alias.name}") else base


def is_module(name: str) -> bool:
    """Whether a dotted name is a file or package of this repository."""
    stem = ROOT.joinpath(*name.split("."))
    return stem.with_suffix(".py").is_file() or (stem / "__init__.py").is_file()


def dotted(node: ast.AST) -> str:
    """`a.b.c` for a chain of names and attributes, else nothing."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        left = dotted(node.value)
        return f"{left}.{node.attr}" if left else ""
    return ""


def may_import(importer: Path, imported: str) -> bool:
    """Whether a file of a pure room may import a module."""
    module = module_name(importer)
    top = imported.split(".")[0]
    if top in sys.stdlib_module_names:
        allowed = PURE_STDLIB | READS_FILES_AT_START.get(importer.name, set())
        return any(under(imported, name) for name in allowed)
    if any(under(imported, name) for name in PURE_SHARED) or is_pure(imported):
        return True
    return any(under(module, room) and under(imported, name) for room, names in ALSO.items() for name in names)


PURE_SOURCES = [path for path in sources("authgw") if is_pure(module_name(path))]


@pytest.mark.parametrize("path", PURE_SOURCES, ids=str)
def test_pure_rooms_import_only_what_computes(path: Path) -> None:
    """A pure room reaches no file, clock, network or randomness, not even through another room."""
    wrong = [
        f"{path}:{line}: imports {name}: pass what it gives as a parameter, or move this to a room that does I/O"
        for line, name in imports(path)
        if not may_import(path, name)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", PURE_SOURCES, ids=str)
def test_pure_rooms_ask_no_clock_and_open_no_file(path: Path) -> None:
    """Time is a parameter in the pure rooms, and only files that load at start may open anything."""
    wrong = []
    for node in ast.walk(tree(path)):
        if not isinstance(node, ast.Call):
            continue
        name = dotted(node.func)
        for banned, instead in CLOCKS.items():
            if name == banned or name.endswith("." + banned):
                wrong.append(f"{path}:{node.lineno}: calls {name}(): {instead}")
        if name in {"open", "print", "input"} and path.name not in READS_FILES_AT_START:
            wrong.append(f"{path}:{node.lineno}: calls {name}(): return a value, the caller does the I/O")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", sources("plugins"), ids=str)
def test_login_plugins_use_the_contract_alone(path: Path) -> None:
    """What ships in the box is written against authgw.contract, as anybody's plugin must be."""
    wrong = [
        f"{path}:{line}: imports {name}: a plugin may import authgw.contract and third parties only"
        for line, name in imports(path)
        if name.split(".")[0] in {"authgw", "authgw_plugins"} and not any(under(name, ok) for ok in PLUGIN_MAY_IMPORT)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", [*sources("authgw"), *sources("plugins")], ids=str)
def test_foot_guns_are_not_used(path: Path) -> None:
    """No source uses a name that is known to be dangerous here."""
    wrong = []
    for node in ast.walk(tree(path)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.ImportFrom) else [dotted(node)]
        for name in names:
            for banned, instead in BANNED_NAMES.items():
                if name == banned or name.endswith("." + banned):
                    wrong.append(f"{path}:{getattr(node, 'lineno', 0)}: {name}: {instead}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("top", SIZE_LIMITS)
def test_files_stay_readable(top: str) -> None:
    """No source file grows beyond what a reader takes in at once."""
    lines = {path: len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in sources(top)}
    wrong = [
        f"{path}: {count} lines, {SIZE_LIMITS[top]} at most: move one of its concerns to a file of its own"
        for path, count in lines.items()
        if count > SIZE_LIMITS[top]
    ]
    assert not wrong, "\n".join(wrong)


def rooms() -> list[str]:
    """Folders of authgw that hold code."""
    held = {path.parts[1] for path in sources("authgw") if len(path.parts) > 2 and path.name != "__init__.py"}
    return sorted(held)


@pytest.mark.parametrize("room", rooms())
def test_every_room_has_tests(room: str) -> None:
    """A room without a test folder of its name, or without tests that import it, is not finished."""
    named = list((ROOT / "tests").glob(f"*/{room}/**/test_*.py"))
    importing = [
        path
        for path in sources("tests")
        if path.name.startswith("test_") and any(under(name, f"authgw.{room}") for _, name in imports(path))
    ]
    assert named or importing, f"authgw/{room}: write tests/unit/{room}/test_*.py"


def test_test_files_have_unique_names() -> None:
    """Two test files of one name would be two modules of one name."""
    seen: dict[str, Path] = {}
    for path in sources("tests"):
        if path.name.startswith("test_"):
            assert path.name not in seen, f"{path}: {seen[path.name]} has that name; rename one"
            seen[path.name] = path


@pytest.mark.parametrize(
    ("importer", "imported", "allowed"),
    [
        ("authgw/rights/parse.py", "re", True),
        ("authgw/rights/parse.py", "collections.abc", True),
        ("authgw/rights/parse.py", "urllib.request", False),
        ("authgw/rights/parse.py", "pathlib", False),
        ("authgw/rights/parse.py", "time", False),
        ("authgw/rights/parse.py", "authgw.session.store", False),
        ("authgw/rights/groups.py", "pathlib", True),
        ("authgw/catalogue/load.py", "socket", False),
        ("authgw/policy/decide.py", "authgw.intake.request", True),
        ("authgw/policy/decide.py", "authgw.upstream.client", False),
        ("authgw/narrow/scope_judge.py", "asyncio", False),
        ("authgw/narrow/scope.py", "authgw.narrow.patterns", True),
        ("authgw/narrow/scope.py", "authgw.narrow.owner", False),
        ("authgw/intake/read.py", "python_multipart.multipart", True),
        ("authgw/rights/parse.py", "python_multipart", False),
        ("authgw/rights/parse.py", "random", False),
        ("authgw/rights/parse.py", "secrets", False),
    ],
)
def test_the_import_rule_itself(importer: str, imported: str, allowed: bool) -> None:
    """The table says no where it should: a rule that never refuses would pass every file."""
    assert may_import(Path(importer), imported) is allowed
