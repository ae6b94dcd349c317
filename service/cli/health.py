"""`offload health`: the installation's state by its exit code."""

import json
from collections.abc import Sequence
from typing import Any

import httpx

from service.lib.user_agent import user_agent
from settings import Settings

OK, DEGRADED, DOWN = 0, 1, 2
TIMEOUT_S = 10.0
"""Above the time that the server's own checks may take."""


def check_health(settings: Settings, server: str | None, *, as_json: bool) -> tuple[int, str]:
    """The exit code (0 ok, 1 degraded, 2 down) and what to print."""
    base_url = (server or settings.web_url).rstrip("/")
    status, checks, detail = "down", {"web": "does not answer"}, ""
    found: list[dict[str, Any]] = []
    try:
        with httpx.Client(
            base_url=base_url,
            timeout=TIMEOUT_S,
            headers={"User-Agent": user_agent()},
            trust_env=server is not None,
        ) as http:
            ready, workers = http.get("/health/ready"), http.get("/workers/health")
        checks, detail = dict(ready.json()["checks"]), str(workers.json().get("detail", ""))
        found = workers.json().get("workers", [])
        if ready.is_success and workers.is_success:
            status = "ok" if workers.json()["status"] == "ok" else "degraded"
    except (httpx.HTTPError, httpx.InvalidURL):
        pass
    except (ValueError, KeyError):
        checks = {"web": "answers with something else than Offload"}
    code = {"ok": OK, "degraded": DEGRADED, "down": DOWN}[status]
    if as_json:
        sandbox = [{name: one.get(name, "") for name in ("id", "queue", "sandbox", "sandbox_detail")} for one in found]
        shown = {"status": status, "server": base_url, "ready": checks, "workers": detail, "sandbox": sandbox}
        return code, json.dumps(shown)
    why = [*(f"{part} {words}" for part, words in checks.items() if words != "ok"), *([detail] if detail else [])]
    return code, "\n".join([f"{status}: {'; '.join(why)}" if why else status, *sandboxes(found)])


def sandboxes(workers: Sequence[dict[str, Any]]) -> list[str]:
    """Lines about the sandbox of the workers' children, one per state and reason; those not held whole are warnings."""
    alike: dict[tuple[str, str], list[str]] = {}
    for one in workers:
        # One of an older release reports none.
        if state := one.get("sandbox"):
            alike.setdefault((state, one.get("sandbox_detail", "")), []).append(one["id"])
    lines = []
    for (state, detail), ids in sorted(alike.items()):
        reason = detail or "OFFLOAD_SANDBOX=off"
        count = f"{len(ids)} worker{'' if len(ids) == 1 else 's'}"
        lines.append(
            f"sandbox on: {count}, {reason}" if state == "on" else f"warning: sandbox {state}: {count}, {reason}"
        )
    return lines
