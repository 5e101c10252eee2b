"""The example configuration that is shipped."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from authgw.settings import SECTIONS, example, load

SHIPPED = Path(__file__).parents[3] / "deploy" / "authgw.example.toml"


def files_it_names(folder: Path) -> None:
    for name in ("upstream.password", "users.toml", "groups.toml"):
        (folder / name).write_text("content\n")
        (folder / name).chmod(0o600)


def switched_on() -> str:
    """The example with every commented setting switched on."""
    lines = example().splitlines()
    return "\n".join(re.sub(r"^# (?=[a-z_]+ = )", "", line) for line in lines)


def test_the_shipped_example_is_the_generated_one() -> None:
    """deploy/authgw.example.toml is what the settings generate, to the byte."""
    assert SHIPPED.read_text("utf-8") == example(), (
        "write it anew: python -c 'from authgw.settings import example; print(example(), end=\"\")' "
        "> deploy/authgw.example.toml"
    )


def test_the_example_loads(tmp_path: Path) -> None:
    """With the files it names, the example is a configuration without problems or warnings."""
    files_it_names(tmp_path)
    (tmp_path / "authgw.toml").write_text(example())
    assert load(tmp_path / "authgw.toml", {}).warnings == ()


def test_every_setting_is_in_the_example(tmp_path: Path) -> None:
    """Every setting of every section is shown, and the defaults shown are the ones that hold."""
    shown = tomllib.loads(switched_on())
    for name, model in SECTIONS.items():
        settings = {key for key, field in model.model_fields.items() if field.description is not None}
        assert set(shown[name]) - {"static"} == settings
    assert set(shown["login"]["static"]) == {"plugin", "on_failure", "sufficient", "users"}
    files_it_names(tmp_path)
    # The one setting that excludes another, and one without a default.
    shown_off = switched_on().replace("\nurl_file =", "\n# url_file =").replace("\nfolder =", "\n# folder =")
    (tmp_path / "on.toml").write_text(shown_off)
    (tmp_path / "off.toml").write_text(example())
    on, off = load(tmp_path / "on.toml", {}), load(tmp_path / "off.toml", {})
    assert on.upstream.sensors == {2: 12}
    for section in ("gateway", "sessions", "login", "audit", "database", "policy", "throttle"):
        assert getattr(on, section) == getattr(off, section), section
