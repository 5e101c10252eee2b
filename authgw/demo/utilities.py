"""php/model/utilities.php: sharing, and what the GUI asks about the session and the audit log."""

from __future__ import annotations

from collections.abc import Mapping

from authgw.demo.php import Asked
from authgw.demo.share import share_cdr
from authgw.demo.site import Answer, Script, Site, denied, json_body, no_session


def utilities(site: Site, asked: Asked) -> Answer:
    """The script: `task` chooses. Whatever it does not do is denied."""
    if not site.live(asked):
        return no_session()
    task = TASKS.get(asked.text("task"))
    return task(site, asked) if task else denied()


def check_session(site: Site, asked: Asked) -> Answer:
    """The session lives, or nobody would come here."""
    return json_body({"success": True})


def can_audit(site: Site, asked: Asked) -> Answer:
    """Whether a reason is asked for before a download: never, of the one account."""
    return json_body({"success": True, "can_audit": 0})


def save_audit(site: Site, asked: Asked) -> Answer:
    """A reason, taken and not kept."""
    return json_body({"success": True})


TASKS: Mapping[str, Script] = {
    "shareCdr": share_cdr,
    "checkSession": check_session,
    "getUserCanAudit": can_audit,
    "saveAudit": save_audit,
}
