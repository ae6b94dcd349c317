"""compose.yml as it is written; tests/deploy/containers runs it."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from settings import Settings
from settings.queues import OURS

ROOT = Path(__file__).parents[2]
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "compose.yml").read_text())["services"]
OFFLOADS = [name for name, service in SERVICES.items() if "offload" in service["image"]]


def test_each_queue_has_a_worker_of_its_own() -> None:
    workers = {name: service["environment"].get("WORKER") for name, service in SERVICES.items() if name in OFFLOADS}
    assert workers == {"web": None} | {str(queue): f"tasks.workers.{queue.worker_class}" for queue in OURS}


@pytest.mark.parametrize("service", SERVICES)
def test_no_container_may_gain_a_right_or_take_the_whole_machine(service: str) -> None:
    written = SERVICES[service]
    assert written["cap_drop"] == ["ALL"] and written["security_opt"] == ["no-new-privileges:true"]
    assert written["pids_limit"] and written["deploy"]["resources"]["limits"]["memory"]


@pytest.mark.parametrize("service", OFFLOADS)
def test_a_container_of_offload_writes_to_its_volumes_alone_and_is_given_every_setting(service: str) -> None:
    written = SERVICES[service]
    assert written["read_only"] and "cap_add" not in written and "user" not in written
    # A setting of the README's table that stands in .env reaches all of them; what the images rest on is not taken from there.
    assert written["env_file"] == [{"path": ".env", "required": False}]
    assert written["environment"]["OFFLOAD_DATA_DIR"] == "/data"
    assert int(written["stop_grace_period"].removesuffix("s")) > Settings.model_fields["grace_s"].default


def test_each_worker_is_asked_for_itself_and_without_a_python_of_its_own() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    [image] = re.findall(r'^HEALTHCHECK .*CMD \["sh", "-c", "(find .*)"\]$', dockerfile, re.M)
    tests = {name: SERVICES[name].get("healthcheck", {}).get("test") for name in OFFLOADS}
    # The two that are built have their image's own.
    assert {name for name, test in tests.items() if not test} == {"web", "pdf-processing"}
    assert [test for test in tests.values() if test and test != ["CMD-SHELL", image]] == []
    template = (ROOT / "deploy" / "helm" / "templates" / "workers.yaml").read_text()
    assert template.count(f'exec: {{command: [sh, -c, "{image}"]}}') == template.count("Probe:") == 2


def test_readers_of_documents_come_behind_what_clients_wait_for() -> None:
    shares = {name: service.get("cpu_shares", 1024) for name, service in SERVICES.items()}
    first = min(shares[name] for name in ("web", "valkey", "postgres"))
    assert max(shares[name] for name in ("pdf-processing", "media", "thumbnails", "csv-export")) < first
