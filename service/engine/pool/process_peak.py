"""Highest resident memory of another process, as Linux keeps it; other kernels tell none, and measuring in between must do."""

import contextlib
from pathlib import Path

RESET = "5"
"""Written to clear_refs: the peak begins again at what is resident now (proc_pid_clear_refs(5))."""


def peak_bytes(pid: int) -> int:
    """Highest resident memory since the process began, or since the last reset; 0 where it cannot be read."""
    with contextlib.suppress(OSError, IndexError, ValueError):
        status = Path(f"/proc/{pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024 if pid else 0
    return 0


def reset_peak(pid: int) -> None:
    """Let the peak begin again. Without the right to it the peak stays that of all tasks of the process."""
    with contextlib.suppress(OSError):
        if pid:
            Path(f"/proc/{pid}/clear_refs").write_text(RESET)
