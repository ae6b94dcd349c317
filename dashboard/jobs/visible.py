"""What somebody may see of a payload: fields that a task declares personal are masked for viewers."""

from typing import Any

from dashboard.auth import User
from service.store import Job
from tasks.job import REGISTRY

MASK = "•••"


def visible(job: Job, user: User) -> dict[str, Any]:
    """The payload, masked for a viewer but for the fields that its task declares, and declares not to be personal."""
    if user.may_act:
        return job.payload
    declared = REGISTRY.get(job.type)
    shown = set(declared.payload.__struct_fields__) - declared.personal if declared else set()
    return {key: value if key in shown else MASK for key, value in job.payload.items()}
