"""POST: change alert rules, add and remove them, switch them on and off, and send a test message."""

from typing import Any

from litestar import Request, post
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect

from dashboard.alerts.rule_form import changed_fields, new_rule
from dashboard.audit_middleware import ACTION, audit_detail
from dashboard.auth import User
from service.api.dependencies import ServicesDep
from service.monitoring.alerts.rules import RuleRefused
from tasks.sdk.errors import Refused


def _to(rule: str, notice: str) -> Redirect:
    return Redirect(f"/admin/alerts/rules/{rule}?notice={notice}", status_code=303)


@post("/alerts/rules", status_code=303, opt={ACTION: "alert_rule.added"})
async def add_rule(
    request: Request[User, Any, Any], services: ServicesDep, data: URLEncodedBody[dict[str, str]]
) -> Redirect:
    """Add a rule to the declared ones."""
    try:
        rule = new_rule(data)
        audit_detail(request, f"{rule.name}: {rule.measure} {rule.direction} {rule.shown(rule.threshold)}")
        await services.alerts.rulebook.add(rule, by=request.user.name)
    except RuleRefused as error:
        raise Refused(str(error), field=error.field) from None
    return _to(rule.name, "rule-added")


@post("/alerts/rules/{rule:str}", status_code=303, opt={ACTION: "alert_rule.changed"})
async def change_rule(
    request: Request[User, Any, Any], services: ServicesDep, rule: FromPath[str], data: URLEncodedBody[dict[str, str]]
) -> Redirect:
    """Change a rule. It is measured so within ten seconds."""
    rulebook = services.alerts.rulebook
    seen = data.get("seen", "")
    try:
        before = await rulebook.get(rule)
        fields = changed_fields(data, before.rule.measure)
        changed = {name: value for name, value in fields.items() if getattr(before.rule, name) != value}
        audit_detail(request, ", ".join(f"{name}={value}" for name, value in changed.items()) or "nothing")
        await rulebook.change(
            rule, fields, by=request.user.name, seen_ms=int(seen) if seen.isascii() and seen.isdigit() else 0
        )
    except RuleRefused as error:
        raise Refused(str(error), field=error.field, status_code=400 if error.field else 409) from None
    return _to(rule, "rule-saved")


@post("/alerts/rules/{rule:str}/reset", status_code=303, opt={ACTION: "alert_rule.reset"})
async def reset_rule(request: Request[User, Any, Any], services: ServicesDep, rule: FromPath[str]) -> Redirect:
    """Back to what is declared; a rule that was added is removed."""
    declared = (await services.alerts.rulebook.get(rule)).declared
    await services.alerts.rulebook.reset(rule, by=request.user.name)
    return _to(rule, "rule-reset") if declared else Redirect("/admin/alerts?notice=rule-removed", status_code=303)


@post("/alerts/rules/{rule:str}/off", status_code=303, opt={ACTION: "alert_rule.switched_off"})
async def switch_rule_off(request: Request[User, Any, Any], services: ServicesDep, rule: FromPath[str]) -> Redirect:
    """Measure it no longer; what fires of it is resolved."""
    await services.alerts.rulebook.switch(rule, on=False, by=request.user.name)
    return _to(rule, "rule-off")


@post("/alerts/rules/{rule:str}/on", status_code=303, opt={ACTION: "alert_rule.switched_on"})
async def switch_rule_on(request: Request[User, Any, Any], services: ServicesDep, rule: FromPath[str]) -> Redirect:
    await services.alerts.rulebook.switch(rule, on=True, by=request.user.name)
    return _to(rule, "rule-on")


@post("/alerts/rules/{rule:str}/test", status_code=303, opt={ACTION: "alert_rule.tried"})
async def try_rule(request: Request[User, Any, Any], services: ServicesDep, rule: FromPath[str]) -> Redirect:
    """Send a message to every receiver that a firing of the rule would reach. It says that it is a test."""
    one = await services.alerts.rulebook.get(rule)
    receivers = await services.alerts.send_test(one.rule, by=request.user.name)
    audit_detail(request, ", ".join(receivers) or "no receiver is set")
    return _to(rule, "rule-tried" if receivers else "rule-no-receiver")
