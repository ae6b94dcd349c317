"""`arq tests.engine.workers.Probe`: a real worker process of the thumbnails queue that also knows the probe jobs."""

import tests.engine.limited
import tests.engine.probe
import tests.engine.run_contract  # noqa: F401  # both declare jobs before the worker is wired
from tasks.workers import Thumbnails


class Probe:
    locals().update({name: value for name, value in vars(Thumbnails).items() if not name.startswith("__")})
