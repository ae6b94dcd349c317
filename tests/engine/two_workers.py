"""Worker processes of two queues on two servers, which also know the probe jobs: `arq tests.engine.two_workers.Exports`."""

import tests.engine.probe
import tests.two_servers  # noqa: F401  # both declare jobs before the workers are wired
from tasks.workers import CsvExport, Thumbnails


class Exports:
    locals().update({name: value for name, value in vars(CsvExport).items() if not name.startswith("__")})


class Pictures:
    locals().update({name: value for name, value in vars(Thumbnails).items() if not name.startswith("__")})
