"""How much memory a child of a test has had. Only the standard library: the child imports this too."""

import resource
import sys
from pathlib import Path


def peak_bytes() -> int:
    """This process's own highest resident memory. On Linux a new process's ru_maxrss begins with its parent's."""
    if sys.platform == "linux":
        return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
