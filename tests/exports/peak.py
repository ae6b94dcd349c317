"""What the memory tests run in a child: nothing is imported here but what the child needs anyway."""

import resource

from tasks.exports.writing import Order, write_export


def peak_mb(wanted: Order) -> float:
    """Writes the export, and answers the most memory in MB that this process has ever had."""
    write_export(wanted)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
