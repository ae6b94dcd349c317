"""`offload health` by its exit code: all well, degraded, down."""

import json

import redis

from service.cli.health import sandboxes
from service.engine.store import channels
from tests.ports import free_port
from tests.supervisor.stack import Stack
from tests.waiting import wait_until


def test_all_is_well_then_degraded_and_well_again(stack: Stack):
    found = stack.run("health", "--json")
    assert (found.returncode, json.loads(found.stdout)["status"]) == (0, "ok"), found.stdout
    first, *rest = stack.run("health").stdout.splitlines()
    assert first == "ok: Every queue has a worker."
    shown = json.loads(found.stdout)["sandbox"]
    assert rest == sandboxes(shown) != [] and {one["id"] for one in stack.workers()} <= {one["id"] for one in shown}
    assert all("held" in line for line in rest)
    worker = stack.workers()[0]["id"]
    with redis.Redis.from_url((stack.folder / "data" / "redis.url").read_text().strip()) as client:
        client.publish(channels.of_worker(worker), channels.QUIET)
        degraded = wait_until(lambda: found if (found := stack.run("health")).returncode else None)
        assert degraded.returncode == 1 and degraded.stdout.startswith("degraded: ") and worker in degraded.stdout
        client.publish(channels.of_worker(worker), channels.RESUME)
    wait_until(lambda: stack.run("health").returncode == 0)


def test_nothing_answers(stack: Stack):
    address = f"http://127.0.0.1:{free_port()}"
    found = stack.run("health", "--server", address)
    assert (found.returncode, found.stdout) == (2, "down: web does not answer\n")


def test_workers_without_a_whole_sandbox_are_a_warning():
    held = {"sandbox": "on", "sandbox_detail": "held by Landlock 7 and seccomp"}
    partial = {"sandbox": "partial", "sandbox_detail": "held by seccomp; not held: files (Landlock: Permission denied)"}
    off, older = {"sandbox": "off", "sandbox_detail": ""}, {"sandbox": "", "sandbox_detail": ""}
    reports = [state | {"id": f"w{at}"} for at, state in enumerate((held, partial, held, off, older))]
    assert sandboxes(reports) == [
        "warning: sandbox off: 1 worker, OFFLOAD_SANDBOX=off",
        "sandbox on: 2 workers, held by Landlock 7 and seccomp",
        "warning: sandbox partial: 1 worker, held by seccomp; not held: files (Landlock: Permission denied)",
    ]
