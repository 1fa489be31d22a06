"""The audit log: who changed what."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bridge.store import AuditLine
from bridge.web.admin import current, spreadsheet
from bridge.web.admin.security import needs

PAGE = 50
blueprint = Blueprint("log", __name__, url_prefix="/log")


@blueprint.get("")
@needs("operator")
def index() -> ResponseReturnValue:
    """Show a page of changes, newest first."""
    before = request.args.get("before", type=int)
    lines = current.store().records.audit(before=before, limit=PAGE + 1)
    older = url_for(".index", before=lines[PAGE - 1].id) if len(lines) > PAGE else None
    newest = url_for(".index") if before is not None else None
    return render_template(
        "admin/settings/log.html", lines=lines[:PAGE], older=older, newest=newest
    )


@blueprint.get("/whole.csv")
@needs("operator")
def export() -> ResponseReturnValue:
    """Return the whole log as a file."""
    return spreadsheet.download("log", AuditLine, current.store().records.whole_audit())
