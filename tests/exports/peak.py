"""What the memory tests run in a child: nothing is imported here but what the child needs anyway."""

from tasks.exports.writing import ExportRequest, write_export
from tests.peak import peak_bytes


def peak_mb(wanted: ExportRequest) -> float:
    """Writes the export, and answers the most memory in MB that this process has ever had."""
    write_export(wanted)
    return peak_bytes() / (1 << 20)
