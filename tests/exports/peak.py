"""What the memory tests run in a child: nothing is imported here but what the child needs anyway."""

import resource
import sys
from pathlib import Path

from tasks.exports.writing import Order, write_export


def peak_mb(wanted: Order) -> float:
    """Writes the export, and answers the most memory in MB that this process has ever had."""
    write_export(wanted)
    if sys.platform == "linux":
        # ru_maxrss would count that of the process which this one was forked from.
        return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)
