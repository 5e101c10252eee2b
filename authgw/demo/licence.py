"""php/apilicensecheck.php: the two licence checks, which the product answers without a session."""

from __future__ import annotations

from authgw.demo.php import Asked
from authgw.demo.site import Answer, Site, failure, json_body

TASKS = frozenset({"licenseCheck", "licenseCallsLimitCheck"})


def licence(site: Site, asked: Asked) -> Answer:
    """status 0: all is well. The look-alike has no licence that could end, and no limit of calls."""
    if asked.text("task") not in TASKS:
        return failure("unknown task")
    return json_body({"status": 0, "message": "License OK."})
