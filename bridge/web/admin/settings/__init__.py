"""Settings: one's account, the operators, the plan, people's data, the audit log."""

from typing import Final

from flask import Blueprint

from bridge.web.admin import current

from . import account, data, log, operators, plan

# Word of the text, endpoint, and the role that may see it.
TABS: Final = (
    ("account", "settings.account.index", "reader"),
    ("plan", "settings.plan.index", "reader"),
    ("data", "settings.data.index", "reader"),
    ("operators", "settings.operators.index", "owner"),
    ("log", "settings.log.index", "operator"),
)
blueprint = Blueprint("settings", __name__, url_prefix="/admin/settings")
for _part in (account, plan, data, operators, log):
    blueprint.register_blueprint(_part.blueprint)


@blueprint.app_context_processor
def _tabs() -> dict[str, object]:
    return {"settings_tabs": lambda: [tab for tab in TABS if current.may(tab[2])]}
