"""GET /admin/workflows/{id}: one workflow as a drawing and a table, kept fresh until it has ended."""

from dataclasses import dataclass
from typing import Any

from litestar import Request, get
from litestar.params import FromPath
from litestar.response import Template

from dashboard.auth import User
from dashboard.rendering import HTMX_STOP_POLLING, render
from dashboard.workflows.graph import HEIGHT, WIDTH, Drawing, drawing
from service.api.dependencies import ServicesDep
from service.engine.states import State
from service.engine.store import Job, NoSuchWorkflow
from service.engine.store.workflows import Workflow, state_of
from service.services import Services


@dataclass(frozen=True)
class Shown:
    """A workflow, its state, its drawing, and its jobs by name; None for one that was deleted."""

    workflow: Workflow
    state: State
    drawing: Drawing
    jobs: dict[str, Job | None]

    @property
    def moves(self) -> bool:
        """True while something may change unasked."""
        return self.state is State.ACTIVE


@get("/workflows/{workflow_id:str}", name="workflow")
async def workflow_page(
    request: Request[User, Any, Any], services: ServicesDep, workflow_id: FromPath[str]
) -> Template:
    return render(request, "workflows/show.html", **_context(await _shown(services, workflow_id)))


@get("/workflows/{workflow_id:str}/live")
async def workflow_live(
    request: Request[User, Any, Any], services: ServicesDep, workflow_id: FromPath[str]
) -> Template:
    shown = await _shown(services, workflow_id)
    status_code = 200 if shown.moves else HTMX_STOP_POLLING
    return render(request, "workflows/live.html", status_code=status_code, **_context(shown))


def _context(shown: Shown) -> dict[str, Any]:
    return {"shown": shown, "box_width": WIDTH, "box_height": HEIGHT}


async def _shown(services: Services, workflow_id: str) -> Shown:
    """The workflow. Raises NoSuchWorkflow."""
    workflow = await services.store.workflow(workflow_id)
    if workflow is None:
        raise NoSuchWorkflow(workflow_id[:120])
    jobs = await services.store.get_many([job_id for job_id, _ in workflow.jobs.values()])
    after = {name: names for name, (_, names) in workflow.jobs.items()}
    return Shown(workflow, state_of(jobs), drawing(after), dict(zip(workflow.jobs, jobs, strict=True)))
