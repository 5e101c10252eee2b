"""What is odd about a catalogue without being wrong: for `authgw check`."""

from __future__ import annotations

from authgw.catalogue.match import Catalogue
from authgw.errors import Problem

SOURCE = "policy"


def lint(catalogue: Catalogue) -> list[Problem]:
    """Entries that can never match, and lists of calls without the fields that scope is judged by."""
    found: list[Problem] = []
    taken: set[str] = set()
    for entry in catalogue.entries:
        where = f'call "{entry.name}"'
        loose = [
            name for name in entry.where if entry.params and not {name, "*"} & entry.params.keys() and not entry.refuse
        ]
        if loose:
            found.append(Problem(SOURCE, where, f"where names {', '.join(loose)}, which params does not type: text"))
        judged = entry.rows is not None and entry.rows.judge == "call" and not (entry.unscoped or entry.aggregate)
        if judged and entry.rows is not None and not (entry.rows.sensor or entry.rows.number):
            found.append(Problem(SOURCE, where, "rows name no field of the scope: every row is looked up by its id"))
        if entry.path in taken and not entry.where and not entry.suffixes and entry.path.endswith("/**"):
            found.append(Problem(SOURCE, where, f"{entry.path} is taken already: this entry never matches"))
        taken.add(entry.path)
    return found
