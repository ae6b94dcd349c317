"""Places that every confined process needs: the interpreter, its packages, the system's libraries and fonts."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/sbin")
"""Libraries, fonts, time zones, programs. Nothing there is secret or a user's."""

CONFIGURATION = (
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime", "/etc/timezone", "/etc/fonts"),
    *("/etc/ssl/openssl.cnf", "/etc/mime.types", "/etc/nsswitch.conf", "/etc/passwd", "/etc/group"),
)

KERNEL = ("/proc", "/sys/devices/system", "/sys/fs/cgroup", "/dev/urandom", "/dev/random", "/dev/zero")
"""Libraries count cores and memory there. Environments and memory of other processes are closed by Landlock all the same."""

NAMES = (
    *("/etc/hosts", "/etc/resolv.conf", "/etc/host.conf", "/etc/gai.conf", "/etc/services", "/etc/ssl/certs"),
    *("/run/systemd/resolve", "/etc/pki"),
)
"""Read to find a server by its name, and to trust it."""

SOURCE_SUFFIXES = (".py", ".so", ".pyc", ".zip")


def packages(secret: Path) -> tuple[str, ...]:
    """The interpreter, and what it can import; nothing of the folder `secret`, where that lies below one of these."""
    installed = [Path(folder).resolve() for folder in dict.fromkeys((sys.prefix, sys.base_prefix, sys.exec_prefix))]
    found = [str(folder) for folder in installed]
    for path in dict.fromkeys(_entries()):
        if not any(path.is_relative_to(folder) for folder in installed):
            found += importable(path, secret.resolve()) if path.is_dir() else [str(path)]
    for path in dict.fromkeys(_imported()):
        if not any(path.is_relative_to(folder) for folder in found):
            # Whole, for the interpreter lists a package's own folder when it looks for what is in it.
            apart = path != secret.resolve() and path not in secret.resolve().parents
            found += [str(path)] if apart else importable(path, secret.resolve())
    return tuple(found)


def _entries() -> Iterator[Path]:
    yield from (Path(entry or os.getcwd()).resolve() for entry in sys.path)


def _imported() -> Iterator[Path]:
    """Folders of packages that are on no search path: those of an editable installation."""
    for name, module in list(sys.modules.items()):
        if "." not in name:
            yield from (
                Path(folder).resolve() for folder in list(getattr(module, "__path__", [])) if Path(folder).is_dir()
            )


def importable(folder: Path, secret: Path) -> Iterator[str]:
    """Modules and packages of a folder of source, which often has a user's files and credentials next to them."""
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            named = path.name.isidentifier() or path.suffix in (".dist-info", ".egg-info")
            if named and path.resolve() != secret and path.resolve() not in secret.parents:
                yield str(path)
        elif path.suffix in SOURCE_SUFFIXES:
            yield str(path)


def listed() -> tuple[str, ...]:
    """Folders whose names the interpreter lists when it looks for a module."""
    return tuple(dict.fromkeys(str(path) for path in _entries()))
