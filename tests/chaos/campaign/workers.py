"""`arq tests.chaos.campaign.workers.Chaos`: a worker of the thumbnails queue that also knows the campaign's job."""

import tests.chaos.campaign.jobs  # noqa: F401  # declares the job before the worker is wired
from tasks.workers import Thumbnails


class Chaos:
    locals().update({name: value for name, value in vars(Thumbnails).items() if not name.startswith("__")})
