"""`confine`: gives up, for this process and all that it starts, whatever its rules do not name. There is no way back.

Landlock (files, TCP, signals) and seccomp (system calls) are the kernel's; what it lacks is named, and never an error
unless the rules require it. Landlock binds the calling thread and those that it starts, so this comes before any library
that starts threads.
"""

import contextlib
import ctypes
import errno
import os
import resource
import sys
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.lib.sandbox.rules import Rules

if TYPE_CHECKING:
    from landlockpy import AccessFS, Ruleset

DENIED_CALLS = (
    # A ring can open sockets and files past the filter; a debugger or another's memory is another process's rights.
    *("io_uring_setup", "io_uring_enter", "io_uring_register", "ptrace", "process_vm_readv", "process_vm_writev"),
    *("pidfd_getfd", "pidfd_send_signal", "process_madvise", "kcmp", "perf_event_open", "bpf", "userfaultfd"),
    *("keyctl", "add_key", "request_key", "open_by_handle_at", "name_to_handle_at"),
    *("unshare", "setns", "mount", "umount2", "pivot_root", "chroot", "move_mount", "fsopen", "open_tree"),
    *("kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "reboot", "swapon", "swapoff"),
    # Landlock knows no rights of these: owners, modes and attributes of files that are only to be read.
    *("chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "lchown", "fchown", "fchownat"),
    *("setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr", "mknod", "mknodat"),
)
"""System calls that no reader of a document needs and that lead around the rules."""

SOCKET_CALLS = ("socket", "socketcall", "bind", "listen", "connect")
"""Every family of sockets: UDP, raw and Unix ones are none of Landlock's before ABI 9. A pair of connected ones
(`socketpair`) stays allowed."""

CAPABILITY_VERSION = 0x20080522
FILES_OF_OTHERS = 1 << 1 | 1 << 2
"""From linux/capability.h: version 3 of its interface; CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH."""

SIGNALS_ABI, TRUNCATION_ABI, TCP_ABI = 6, 3, 4
"""Versions of Landlock's interface (ABI) from which it holds signals, truncation of files, and TCP."""


class SandboxLacks(Exception):
    """The kernel lacks what the rules require."""


@dataclass(frozen=True)
class Held:
    """Facts of this kernel: `landlock` is its ABI version, 0 without it; `lacks` has a phrase for each thing not held."""

    landlock: int
    seccomp: bool
    lacks: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """`on`, `partial`, or `none` where nothing at all is held."""
        if not self.landlock and not self.seccomp:
            return "none"
        return "partial" if self.lacks else "on"

    @property
    def enough(self) -> bool:
        """True where files and the network are held: what the setting `require` asks for."""
        return bool(self.landlock) and (self.seccomp or self.landlock >= TCP_ABI)

    @property
    def words(self) -> str:
        """The facts in one phrase."""
        parts = [f"Landlock {self.landlock}" if self.landlock else "", "seccomp" if self.seccomp else ""]
        by = " and ".join(part for part in parts if part)
        if not by:
            return f"not held: {'; '.join(self.lacks)}"
        return f"held by {by}" + (f"; not held: {'; '.join(self.lacks)}" if self.lacks else "")


def confine(rules: Rules) -> Held:
    """Confine this process to `rules`. Raises SandboxLacks where they are required and the kernel cannot hold them."""
    _limit(rules)
    if rules.temporary:
        os.environ["TMPDIR"] = tempfile.tempdir = rules.temporary
        if not rules.network:
            # Libraries look for files of their own in the home and write others: there they would meet a refusal, which few
            # expect. Drivers of databases have passwords and certificates there.
            os.environ["HOME"] = rules.temporary
    # The library is looked for while files can still be read.
    calls, lacks = _filter(rules)
    abi = _hold_files(rules, lacks)
    _drop_capabilities()
    held = Held(abi, calls is not None and _loaded(calls, lacks), tuple(lacks))
    if rules.required and not held.enough:
        raise SandboxLacks(held.words)
    return held


def _limit(rules: Rules) -> None:
    # A core file would hold the document, in a folder that is not swept.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if rules.file_bytes:
        most = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        bound = rules.file_bytes if most == resource.RLIM_INFINITY else min(rules.file_bytes, most)
        resource.setrlimit(resource.RLIMIT_FSIZE, (bound, bound))


def _drop_capabilities() -> None:
    """Give up root's rights, but for those to files of other users, which the rules bound: a worker may run as root.

    With CAP_PERFMON, for one, the environments of all processes can be read.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    sets = (ctypes.c_uint32 * 6)()
    if libc.capget(header, sets) == 0:
        kept = [(sets[0] & FILES_OF_OTHERS), (sets[1] & FILES_OF_OTHERS), 0, 0, 0, 0]
        libc.capset(header, (ctypes.c_uint32 * 6)(*kept))


def _hold_files(rules: Rules, lacks: list[str]) -> int:
    """Landlock. Returns its ABI version, or 0; appends to `lacks`."""
    if sys.platform != "linux":
        lacks.append("files, network and signals (this is not Linux)")
        return 0
    import landlockpy

    try:
        abi = landlockpy.abi_version()
        if abi:
            with _ruleset(rules, abi) as ruleset:
                ruleset.restrict()
    except landlockpy.LandlockError as error:
        lacks.append(f"files (Landlock: {error.strerror or error})")
        return 0
    if not abi:
        lacks.append("files (the kernel is without Landlock, or a container's profile denies it)")
    elif abi < TRUNCATION_ABI:
        lacks.append("truncation of files that may be read (Landlock 3)")
    if abi < SIGNALS_ABI:
        lacks.append("signals to other processes of the same user (Landlock 6)")
    return abi


def _ruleset(rules: Rules, abi: int) -> "Ruleset":
    from landlockpy import AccessFS, AccessNet, Ruleset, Scope, fs_for_abi, net_for_abi

    read = AccessFS.READ_FILE | AccessFS.READ_DIR
    # No devices, sockets or links: a link that another process follows leads out.
    make = AccessFS.MAKE_REG | AccessFS.MAKE_DIR | AccessFS.REMOVE_FILE | AccessFS.REMOVE_DIR | AccessFS.REFER
    write = read | make | AccessFS.WRITE_FILE | AccessFS.TRUNCATE
    files, net = fs_for_abi(abi), net_for_abi(abi)
    if rules.network:
        # Its servers may listen at a path, and their names are asked for by UDP.
        files &= ~AccessFS.RESOLVE_UNIX
        net &= AccessNet.NONE if rules.ports is None else AccessNet.BIND_TCP | AccessNet.CONNECT_TCP
    scoped = Scope.SIGNAL | Scope.ABSTRACT_UNIX_SOCKET
    ruleset = Ruleset(handled_fs=files, handled_net=net, scoped=scoped)
    granted = [(rules.lists, AccessFS.READ_DIR), (rules.reads, read), (rules.runs, read | AccessFS.EXECUTE)]
    for paths, access in [*granted, (rules.writes, write)]:
        for path in paths:
            _allow(ruleset, path, access)
    for port in rules.ports or ():
        ruleset.allow_port(port, AccessNet.CONNECT_TCP)
    return ruleset


def _allow(ruleset: "Ruleset", path: str, access: "AccessFS") -> None:
    """Grant `access` below a folder, or of it what a file can be granted. A path that is not there is left out."""
    from landlockpy import AccessFS

    of_files = AccessFS.READ_FILE | AccessFS.WRITE_FILE | AccessFS.EXECUTE | AccessFS.TRUNCATE
    with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
        ruleset.allow_path(path, access if os.path.isdir(path) else access & of_files)


CALLS = "sockets other than TCP, and system calls that lead around the rules"


def _filter(rules: Rules) -> tuple[Any, list[str]]:
    """The filter of system calls, not in force yet; None and a phrase for what is not held without libseccomp."""
    if sys.platform != "linux":
        return None, []
    try:
        import pyseccomp
    except (ImportError, RuntimeError, OSError):
        return None, [f"{CALLS} (libseccomp.so.2 is not installed)"]
    calls = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    # In every thread: libraries may have started some.
    calls.set_attr(pyseccomp.Attr.CTL_TSYNC, 1)
    for name in (*DENIED_CALLS, *(() if rules.network else SOCKET_CALLS)):
        # Older libraries do not know the newest calls by name, nor do all machines have all of them.
        with contextlib.suppress(OSError, ValueError):
            calls.add_rule(pyseccomp.ERRNO(errno.EACCES), name)
    return calls, []


def _loaded(calls: Any, lacks: list[str]) -> bool:
    """Put the filter in force. Returns whether the kernel took it; appends to `lacks`."""
    try:
        calls.load()
    except OSError as error:
        lacks.append(f"{CALLS} (seccomp: {error.strerror or error})")
        return False
    return True
