"""GET /admin/alerts/rules/{rule} and /admin/alerts/new: a rule to change or to add, and how often it would have fired."""

from typing import Any

from litestar import Request, get
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from dashboard.alerts.firing import firing
from dashboard.alerts.rule_form import fields_of, subjects
from dashboard.auth import User
from dashboard.changes.before import before
from dashboard.flash_messages import NOTICES
from dashboard.rendering import render
from service.api.dependencies import ServicesDep
from service.monitoring.alerts.lookback import Lookback
from settings.alert_rules import MEASURES, Severity


@get("/alerts/rules/{rule:str}", name="alert_rule")
async def rule_page(
    request: Request[User, Any, Any], services: ServicesDep, rule: FromPath[str], notice: FromQuery[str] = ""
) -> Template:
    """One rule with its form. Raises NoSuchRule."""
    one = await services.alerts.rulebook.get(rule)
    fire = [alert for alert in await firing(services, muted=True) if alert.rule.name == rule]
    lookback = Lookback(services.store, services.metrics)
    return render(
        request,
        "alerts/rule.html",
        one=one,
        rule=one.rule,
        measure=MEASURES.get(one.rule.measure),
        fields=fields_of(one.rule),
        declared_fields={field.name: field.value for field in fields_of(one.declared)} if one.declared else {},
        subjects=subjects(),
        severities=list(Severity),
        firings=await lookback.firings(one.rule) if not one.problem else None,
        firing=fire,
        before=await before(services.changes, fire),
        channels=services.alerts.receivers,
        notice=NOTICES.get(notice),
    )


@get("/alerts/new", name="new_alert_rule")
async def new_rule_page(request: Request[User, Any, Any]) -> Template:
    """The form of a new rule."""
    return render(
        request, "alerts/new.html", measures=MEASURES, subjects=subjects(), severities=list(Severity), notice=None
    )
