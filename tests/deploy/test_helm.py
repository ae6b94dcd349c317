"""The chart, rendered by helm and held against the schemas of Kubernetes and against the settings that exist."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from settings import Settings
from settings.load import PREFIX
from settings.queues import OURS
from settings.validation_messages import variables

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm"
HELM = Path(sys.executable).parent / "helm"
EVERYTHING = (
    "keda.enabled=true",
    "serviceMonitor.enabled=true",
    "ingress.enabled=true",
    "ingress.host=jobs.example.com",
    "ingress.tlsSecret=jobs-tls",
    "publicUrl=https://jobs.example.com",
    "mailFrom=Jobs <jobs@example.com>",
    "settings.OFFLOAD_MAX_PAGES=700",
    "settings.OFFLOAD_OIDC_ISSUER=https://login.example.com",
    "settings.OFFLOAD_PROXY_AUTH_FROM=10.0.0.7",
    "settings.OFFLOAD_SANDBOX=require",
    "settings.OFFLOAD_CHILD_NICE=15",
    "moreSecrets={vault-keys}",
    "storageUrl=s3://documents/offload",
    "image.registry=registry.example.com/team",
    "image.pullSecrets={registry}",
)


def helm(*settings: str) -> subprocess.CompletedProcess[str]:
    chosen = [word for setting in settings for word in ("--set", setting)]
    command = [str(HELM), "template", "acme", str(CHART), "--namespace", "jobs", *chosen]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@cache
def rendered(*settings: str) -> tuple[dict[str, Any], ...]:
    """The objects of a release."""
    done = helm(*settings)
    assert done.returncode == 0, done.stderr
    return tuple(one for one in yaml.safe_load_all(done.stdout) if one)


def of_kind(kind: str, *settings: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in rendered(*settings) if one["kind"] == kind}


def pods(*settings: str) -> dict[str, dict[str, Any]]:
    return {name: one["spec"]["template"]["spec"] for name, one in of_kind("Deployment", *settings).items()}


@pytest.mark.parametrize(("settings", "version"), [((), "1.25"), (EVERYTHING, "1.34")], ids=["plain", "everything"])
def test_each_object_is_one_that_kubernetes_takes(settings: tuple[str, ...], version: str) -> None:
    for one in rendered(*settings):
        if one["apiVersion"].split("/")[0] not in ("keda.sh", "monitoring.coreos.com"):
            kubernetes_validate.validate(one, version, strict=True)


def test_each_queue_has_workers_that_exist() -> None:
    commands = {pod["containers"][0]["command"][1] for name, pod in pods().items() if not name.endswith("-web")}
    assert commands == {f"tasks.workers.{queue.worker_class}" for queue in OURS}


def test_a_queue_of_a_package_is_added_by_its_name() -> None:
    pod = pods("queues.acme-invoices.image=web")["acme-offload-acme-invoices"]
    assert pod["containers"][0]["command"] == ["arq", "tasks.workers.AcmeInvoices"]


def test_settings_are_ones_that_offload_knows() -> None:
    known = set(variables(Settings, PREFIX))
    [given] = of_kind("ConfigMap", *EVERYTHING).values()
    assert set(given["data"]) <= known
    assert {name for name in known if name in (CHART / "values.yaml").read_text()} >= {
        "OFFLOAD_REDIS_URL",
        "OFFLOAD_DATABASE_URL",
        "OFFLOAD_API_KEYS",
    }


def test_secrets_are_named_and_not_held() -> None:
    assert not of_kind("Secret", *EVERYTHING)
    for pod in pods("secret=vault").values():
        assert {"secretRef": {"name": "vault"}} in pod["containers"][0]["envFrom"]


def test_each_secret_has_its_place_and_cannot_stand_in_a_config_map() -> None:
    secrets = {name for name, field in variables(Settings, PREFIX).items() if field.repr is False}
    schema = json.loads((CHART / "values.schema.json").read_text())
    refused = schema["properties"]["settings"]["propertyNames"]["not"]["anyOf"][1]["enum"]
    assert set(refused) == secrets
    values = (CHART / "values.yaml").read_text()
    assert {name for name in secrets if name not in values} == set()
    for pod in pods("moreSecrets={vault-keys}").values():
        assert [one for one in pod["containers"][0]["envFrom"] if "secretRef" in one] == [
            {"secretRef": {"name": "offload"}},
            {"secretRef": {"name": "vault-keys"}},
        ]


def test_pods_may_do_little() -> None:
    for pod in pods().values():
        [container] = pod["containers"]
        assert pod["securityContext"]["runAsUser"] == 10001
        assert not pod["automountServiceAccountToken"]
        assert not pod["enableServiceLinks"]
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"]["memory"]
        assert container["livenessProbe"]


def test_a_worker_has_longer_than_its_grace() -> None:
    [given] = of_kind("ConfigMap", "workers.graceSeconds=90").values()
    for name, pod in pods("workers.graceSeconds=90").items():
        if not name.endswith("-web"):
            assert pod["terminationGracePeriodSeconds"] > int(given["data"]["OFFLOAD_GRACE_S"]) == 80


def test_keda_asks_for_the_backlog_of_each_queue() -> None:
    scaled = of_kind("ScaledObject", "keda.enabled=true", "queues.media.most=2", "queues.media.withinSeconds=600")
    assert set(scaled) == set(pods()) - {"acme-offload-web"}
    media = scaled["acme-offload-media"]["spec"]
    assert media["maxReplicaCount"] == 2
    address = "http://acme-offload-web.jobs:8000/workers/wanted?queue=media&within_s=600"
    assert media["triggers"][0]["metadata"]["url"] == address
    assert "acme-offload-web" in of_kind("Service")
    # A Deployment that names a number of replicas would undo what KEDA has set at each upgrade.
    assert not any(
        "replicas" in one["spec"]
        for name, one in of_kind("Deployment", "keda.enabled=true").items()
        if not name.endswith("-web")
    )


def test_a_disruption_takes_one_at_a_time_and_workers_are_reached_by_none() -> None:
    assert set(of_kind("PodDisruptionBudget")) == set(pods()) == set(of_kind("NetworkPolicy"))
    for name, policy in of_kind("NetworkPolicy").items():
        assert bool(policy["spec"]["ingress"]) == name.endswith("-web")


def test_files_are_kept_when_the_release_goes() -> None:
    [claim] = of_kind("PersistentVolumeClaim").values()
    assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    assert not of_kind("PersistentVolumeClaim", "storageUrl=s3://documents/offload")


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ("workers.least=0", "workers.least"),
        ("queues.Mail.image=web", "queues"),
        ("queues.media.image=gpu", "queues.media.image"),
        ("queues.media.least=9", "most (8) is less than least (9)"),
        ("ingress.enabled=true", "ingress.host"),
        ("storageUrl=/mnt/files", "storageUrl"),
        ("secret=", "secret"),
        ("settings.OFFLOAD_ENCRYPTION_KEYS=a:b", "settings"),
        ("settings.OFFLOAD_QUEUES__CSV_EXPORT__REDIS_URL=redis://h", "settings"),
        ("replicas=3", "replicas"),
    ],
)
def test_a_bad_value_is_named(setting: str, named: str) -> None:
    done = helm(setting)
    assert done.returncode != 0
    assert named in done.stderr


def test_the_chart_holds_helms_own_rules() -> None:
    done = subprocess.run([HELM, "lint", "--strict", CHART], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
