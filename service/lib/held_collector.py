"""The garbage collector, held off from the import of this module to `release`. Name it as the first of ours in a root.

All that is imported stays, and while it grows the collector goes through it again and again: a sixth of a process's start.
"""

import gc

gc.disable()


def release() -> None:
    """Let the collector work again; objects that there are already need not be looked through by it, now or at the end."""
    gc.freeze()
    gc.enable()
