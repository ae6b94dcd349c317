"""compose.yml as it stands, run by podman-compose under a name and a port of the test's own."""

import json
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.deploy.containers.images import ROOT, Engine
from tests.ports import free_port
from tests.waiting import wait_until

COMPOSE = ROOT / "compose.yml"
KEY = "acme-secret-key-1"
HEALTHY_S = 240.0
"""Longest wait for all of it: each process compiles nothing, but they start at the same time."""

ENDED_S = 3_000.0
"""Longest wait for a job: 300 pages on a machine that does other things too."""


class Stack:
    """Every service of the file. What the test changes stands in `_override` and nowhere else."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine = engine
        self.project = f"offload-test-{secrets.token_hex(3)}"
        self.services: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text())["services"]
        self.url = ""
        self.folder = folder
        self.healthy_s: dict[str, float] = {}
        """Seconds from the start of all of them to the first green check, by container."""
        self.variables = {
            "VALKEY_PASSWORD": secrets.token_hex(16),
            "POSTGRES_PASSWORD": secrets.token_hex(16),
            # No test here sends mail: the name is not known in the stack's network.
            "OFFLOAD_SMTP_URL": "smtp://mail.invalid:25",
            "OFFLOAD_API_KEYS": f"acme:{KEY}",
            "OFFLOAD_DASHBOARD_USERS": f"admin:{secrets.token_hex(16)}:operator",
            "OFFLOAD_MAIL_FROM": "Jobs <jobs@example.com>",
            "OFFLOAD_PUBLIC_URL": "http://localhost:8000",
            "OFFLOAD_UNSUBSCRIBE_KEY": secrets.token_hex(32),
        }

    def _override(self) -> Path:
        """A free port of this machine in place of 8000, so that a stack that runs here already is left alone."""
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        file = self.folder / "override.yml"
        file.write_text(f'services:\n  web:\n    ports: !override ["127.0.0.1:{port}:8000"]\n')
        return file

    def compose(self, *command: str) -> str:
        """Run a command of podman-compose."""
        override = self.folder / "override.yml"
        files = ("-f", str(COMPOSE), "-f", str(override if override.exists() else self._override()))
        done = self.engine.run(
            *(sys.executable, "-m", "podman_compose", "-p", self.project, "--in-pod", "false", *files, *command),
            **self.variables,
        )
        return done.stdout + done.stderr

    def up(self, *more: str) -> None:
        """Start what does not run, and wait until every check is green."""
        begun = time.monotonic()
        self.compose("up", "-d", "--no-build", *more)
        waiting = set(self.containers())

        def all_healthy() -> bool:
            for name in sorted(waiting):
                if self.healthy(name):
                    waiting.discard(name)
                    self.healthy_s[name] = time.monotonic() - begun
            return not waiting

        wait_until(all_healthy, HEALTHY_S)

    def containers(self, service: str = "") -> list[str]:
        """Names of the running containers, of all services or of one."""
        listed = self.engine.run("podman", "ps", "--format", "{{.Names}}", "--filter", f"name={self.project}")
        wanted = f"{self.project}_{service}_" if service else self.project
        return sorted(name for name in listed.stdout.split() if name.startswith(wanted))

    def healthy(self, container: str) -> bool:
        """Run the image's or the file's own check once: without systemd podman does not run it in intervals."""
        return self.engine.run("podman", "healthcheck", "run", container, check=False).returncode == 0

    def inside(self, container: str, *command: str, check: bool = True) -> str:
        """Output of a command in a running container."""
        return self.engine.run("podman", "exec", container, *command, check=check).stdout.strip()

    def inspect(self, container: str) -> dict[str, Any]:
        found: list[dict[str, Any]] = json.loads(self.engine.run("podman", "inspect", container).stdout)
        return found[0]

    def logs(self, container: str) -> str:
        done = self.engine.run("podman", "logs", container, check=False)
        return done.stdout + done.stderr

    @contextmanager
    def memory_limit(self, container: str, bytes_: int) -> Iterator[None]:
        """Within, the container's memory group has this limit, whatever the file says."""
        path = str(self.inspect(container)["State"]["CgroupPath"]).strip("/")
        (file,) = [
            file
            for file in (
                Path("/sys/fs/cgroup", name) for name in (f"memory/{path}/memory.limit_in_bytes", f"{path}/memory.max")
            )
            if file.exists()
        ]
        before = file.read_text()
        file.write_text(str(bytes_))
        try:
            yield
        finally:
            file.write_text(before)

    def client(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {KEY}"}
        return httpx.Client(base_url=self.url, headers=headers, trust_env=False, timeout=120)

    def ended(self, client: httpx.Client, job_id: str) -> dict[str, Any]:
        """The job's detail once it has ended."""

        def detail() -> dict[str, Any] | None:
            body: dict[str, Any] = client.get(f"/api/jobs/{job_id}").raise_for_status().json()
            return body if body["status"] in ("completed", "failed", "cancelled") else None

        found = wait_until(detail, ENDED_S)
        assert found is not None
        return found

    def down(self) -> None:
        """Remove containers, network and volumes."""
        # podman-compose leaves the second container of a scaled service, and with it the network and the volumes.
        every = self.engine.run("podman", "ps", "--all", "--format", "{{.Names}}", "--filter", f"name={self.project}")
        if names := every.stdout.split():
            # Together: podman removes none that another one depends on.
            self.engine.run("podman", "rm", "--force", "--time", "5", "--depend", *names)
        self.compose("down", "-v", "-t", "5")


def memory(stack: Stack, container: str) -> tuple[int, int]:
    """Most bytes that the container's memory group has held, files in the page cache included, and what it killed for it."""
    script = (
        "cd /sys/fs/cgroup; "
        "if [ -e memory.peak ]; then cat memory.peak; sed -n 's/^oom_kill //p' memory.events; "
        "else cat memory/memory.max_usage_in_bytes; sed -n 's/^oom_kill //p' memory/memory.oom_control; fi"
    )
    peak, killed = stack.inside(container, "sh", "-c", script).split()
    return int(peak), int(killed)
