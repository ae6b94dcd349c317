"""`arq tests.production.workers.Nappers`: a worker of the thumbnails queue that also knows the jobs of these tests."""

import tests.production.jobs  # noqa: F401  # declares the jobs before the worker is wired
from tasks.workers import CsvExport, EmailSender, Thumbnails


class Nappers:
    locals().update({name: value for name, value in vars(Thumbnails).items() if not name.startswith("__")})


class Exporters:
    locals().update({name: value for name, value in vars(CsvExport).items() if not name.startswith("__")})


class Mailers:
    locals().update({name: value for name, value in vars(EmailSender).items() if not name.startswith("__")})
