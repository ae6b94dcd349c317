"""`arq bench.peers.ours_worker.Bench`: the thumbnails worker, which knows the no-op job too."""

import bench.peers.ours_jobs  # noqa: F401  # declared before the worker is wired
from tasks.workers import Thumbnails


class Bench:
    locals().update({name: value for name, value in vars(Thumbnails).items() if not name.startswith("__")})
