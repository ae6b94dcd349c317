"""The environment: what each variable takes, and the sentence a bad value gets."""

from pathlib import Path

import pytest

from settings.load import read_settings
from settings.queues import QUEUE_TABLE, Queue, QueueSettings
from settings.urls import cluster_url, sentinel_url


@pytest.fixture
def read(monkeypatch, tmp_path):
    """Settings read from an environment of just these variables."""

    def read_these(**variables: str):
        environment = {
            "OFFLOAD_DATA_DIR": str(tmp_path),
            **{f"OFFLOAD_{name}": value for name, value in variables.items()},
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return read_settings(environment)

    return read_these


def test_everything_unset_lives_under_the_data_folder(read, tmp_path: Path):
    settings = read()
    assert (settings.host, settings.port, settings.data_dir) == ("127.0.0.1", 8000, tmp_path)
    assert settings.redis_url is None and settings.smtp_url is None
    assert settings.database_url == f"sqlite+aiosqlite:///{tmp_path}/offload.db"
    assert settings.storage_url == (tmp_path / "files").as_uri()
    assert (settings.max_upload_bytes, settings.max_pages) == (209_715_200, 5000)
    assert settings.queues == QUEUE_TABLE


def test_reading_leaves_nothing_behind(read, tmp_path: Path):
    read()
    assert list(tmp_path.iterdir()) == []


def test_an_empty_variable_is_an_unset_one(read):
    assert read(REDIS_URL="", PORT="").port == 8000


def test_a_field_of_one_queue_leaves_all_else_alone(read):
    queues = read(QUEUES__EMAIL_SENDER__RATE_PER_MINUTE="3000", QUEUES__PDF_PROCESSING__TIMEOUT_S="none").queues
    assert queues[Queue.EMAIL_SENDER] == QUEUE_TABLE[Queue.EMAIL_SENDER].model_copy(update={"rate_per_minute": 3000})
    assert queues[Queue.PDF_PROCESSING].timeout_s is None
    assert queues[Queue.THUMBNAILS] == QUEUE_TABLE[Queue.THUMBNAILS]


@pytest.mark.parametrize(
    ("name", "given", "sentence"),
    [
        ("PORT", "http", "OFFLOAD_PORT is 'http', but takes a whole number from 1 to 65535."),
        ("PORT", "65536", "OFFLOAD_PORT is '65536', but takes a whole number from 1 to 65535."),
        ("HOST", "my host", "OFFLOAD_HOST is 'my host', but takes an address or a host name, such as 0.0.0.0."),
        ("MAX_PAGES", "0", "OFFLOAD_MAX_PAGES is '0', but takes a whole number from 1 to 1000000."),
        (
            "STORAGE_URL",
            "gs://bucket",
            "OFFLOAD_STORAGE_URL is 'gs://bucket', but takes file:///folder or s3://bucket/prefix.",
        ),
        (
            "STORAGE_URL",
            "file://host/x",
            "OFFLOAD_STORAGE_URL is 'file://host/x', but takes file:///folder or s3://bucket/prefix.",
        ),
        ("OCR_ENGINE", "crystal-ball", "OFFLOAD_OCR_ENGINE is 'crystal-ball', but takes easyocr, rapidocr or auto."),
        (
            "QUEUES__PDF_PROCESSING__TIMEOUT_S",
            "never",
            "OFFLOAD_QUEUES__PDF_PROCESSING__TIMEOUT_S is 'never', but takes a number above 0 to 86400 or none.",
        ),
        (
            "QUEUES__THUMBNAILS__JOBS_AT_ONCE",
            "0",
            "OFFLOAD_QUEUES__THUMBNAILS__JOBS_AT_ONCE is '0', but takes a whole number from 1 to 1000.",
        ),
        (
            "QUEUES__MAIL__RETRIES",
            "1",
            f"OFFLOAD_QUEUES__MAIL__RETRIES names no queue; the queues are {', '.join(queue.name for queue in Queue)}.",
        ),
        (
            "QUEUES__EMAIL_SENDER__SPEED",
            "1",
            "OFFLOAD_QUEUES__EMAIL_SENDER__SPEED names no field of a queue; the fields are "
            f"{', '.join(field.upper() for field in QueueSettings.model_fields)}.",
        ),
        ("PROT", "8001", "OFFLOAD_PROT is not a setting; did you mean OFFLOAD_PORT?"),
    ],
)
def test_a_bad_value_is_named_with_what_it_takes(read, name: str, given: str, sentence: str):
    with pytest.raises(SystemExit) as stop:
        read(**{name: given})
    assert str(stop.value) == sentence


def test_every_bad_value_is_said_at_once(read):
    with pytest.raises(SystemExit) as stop:
        read(PORT="x", MAX_PAGES="y", DATA_DIR="/dev/null")
    assert [line.split()[0] for line in str(stop.value).splitlines()] == [
        "OFFLOAD_MAX_PAGES",
        "OFFLOAD_DATA_DIR",
        "OFFLOAD_PORT",
    ]


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("REDIS_URL", "http://user:hunter2!@host"),
        ("REDIS_URL", "user:hunter2!@host"),
        ("DATABASE_URL", "postgres://user:hunter2!@host/name"),
        ("SMTP_URL", "mail.example.com?password=hunter2!"),
        ("SLACK_WEBHOOK_URL", "hooks.example.com/hunter2!"),
        ("API_KEYS", "acme:hunter2"),
        ("API_KEYS", "hunter2!hunter2!hunter2!"),
        ("API_KEYS", "acme:hunter2-15chars"),
        ("DASHBOARD_USERS", "admin:hunter2-11!:viewer"),
        ("API_KEYS", "acme:hunter2!-hunter2!,globex:hunter2!-hunter2!"),
        ("DASHBOARD_USERS", "admin:hunter2!hunter2!:root"),
        ("DASHBOARD_USERS", "admin:hunter2!hunter2!:viewer,admin:hunter2!hunter2!:operator"),
    ],
)
def test_a_secret_is_never_repeated(read, name: str, given: str):
    with pytest.raises(SystemExit) as stop:
        read(**{name: given})
    assert str(stop.value).startswith(f"OFFLOAD_{name} is ") and "hunter2" not in str(stop.value)


def test_secrets_do_not_show_in_a_printed_settings_object(read):
    settings = read(
        REDIS_URL="redis://:hunter2!@host",
        API_KEYS="acme:hunter2!-hunter2!",
        DASHBOARD_USERS="admin:hunter2!hunter2!:viewer",
        SMTP_URL="smtp://u:hunter2!@h",
    )
    assert "hunter2" not in repr(settings) + repr(settings.dashboard_users)


def test_an_owner_may_hold_two_keys_and_a_password_colons(read):
    settings = read(
        API_KEYS="acme:the-older-secret-1, acme:the-newer-secret-2", DASHBOARD_USERS="ann:a:b:c:d:e:f:g:operator"
    )
    assert settings.api_keys == {"the-older-secret-1": "acme", "the-newer-secret-2": "acme"}
    assert settings.dashboard_users["ann"].password == "a:b:c:d:e:f:g"


CLUSTER = "redis+cluster://host:port,host:port"
SENTINELS = "redis+sentinel://host:port,host:port/service/db"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            "redis+sentinel://a:26379,b:26379",
            f"OFFLOAD_REDIS_URL names no service: write {SENTINELS}, with the name that the Sentinels watch it under.",
        ),
        (
            "redis+sentinel://a:26379/offload/first",
            f"OFFLOAD_REDIS_URL ends in a database that is not a number: write {SENTINELS}.",
        ),
        (
            "redis+sentinel://a:26379,,b/offload",
            f"OFFLOAD_REDIS_URL names a Sentinel without a host, or with a port that is not one: write {SENTINELS}.",
        ),
        (
            "redis+sentinel://a:http/offload",
            f"OFFLOAD_REDIS_URL names a Sentinel without a host, or with a port that is not one: write {SENTINELS}.",
        ),
        (
            "redis+cluster://a:6379,b:6379/3",
            f"OFFLOAD_REDIS_URL names a database, and a cluster has only one: write {CLUSTER}.",
        ),
        (
            "redis+cluster://a:6379,b:port",
            f"OFFLOAD_REDIS_URL names a server without a host, or with a port that is not one: write {CLUSTER}.",
        ),
        (
            "redis+cluster://a:6379#thumbnails",
            f"OFFLOAD_REDIS_URL has a # in it, which a password has as %23: write {CLUSTER}.",
        ),
    ],
)
def test_sentinels_or_a_cluster_that_are_named_wrongly(read, given: str, sentence: str):
    with pytest.raises(SystemExit) as refused:
        read(REDIS_URL=given)
    assert str(refused.value) == sentence


def test_a_queue_server_behind_sentinels(read):
    url = read(REDIS_URL="redis+sentinel://user:p%40ss@a:1000,b,[::1]:2000/offload/3").redis_url
    found = sentinel_url(url)
    assert found.sentinels == (("a", 1000), ("b", 26379), ("::1", 2000))
    assert (found.service, found.server) == ("offload", "redis://user:p%40ss@primary/3")
    assert (
        sentinel_url("rediss+sentinel://a/offload?ssl_ca_certs=/ca.pem").server
        == "rediss://primary/0?ssl_ca_certs=/ca.pem"
    )


def test_a_cluster(read):
    settings = read(REDIS_URL="rediss+cluster://user:p%40ss@a:1000,b,[::1]:2000?ssl_ca_certs=/ca.pem")
    found = cluster_url(settings.server_of("thumbnails"))
    assert found.seeds == (("a", 1000), ("b", 6379), ("::1", 2000))
    assert (found.tag, found.server) == ("offload:thumbnails", "rediss://user:p%40ss@server/0?ssl_ca_certs=/ca.pem")
    assert cluster_url(settings.queue_server_url()).tag == "offload"
    with pytest.raises(SystemExit, match="THUMBNAILS__REDIS_URL names a cluster, which is for all queues or for none"):
        read(REDIS_URL="redis://main:1", QUEUES__THUMBNAILS__REDIS_URL="redis+cluster://a:1")


def test_a_queue_may_have_a_server_of_its_own(read):
    settings = read(REDIS_URL="redis://main:1", QUEUES__EMAIL_SENDER__REDIS_URL="redis://:hunter2!@mail:2")
    assert settings.server_of("email-sender") == "redis://:hunter2!@mail:2"
    assert settings.server_of("thumbnails") == "redis://main:1"
    assert "hunter2" not in repr(settings)
    with pytest.raises(SystemExit) as stop:
        read(QUEUES__EMAIL_SENDER__REDIS_URL="http://:hunter2!@mail")
    assert "OFFLOAD_QUEUES__EMAIL_SENDER__REDIS_URL" in str(stop.value) and "hunter2" not in str(stop.value)
