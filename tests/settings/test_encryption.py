"""OFFLOAD_ENCRYPTION_KEYS: its form, and sentences that show no part of a key."""

import base64

import pytest
from click.testing import CliRunner

from service.cli.main import main
from settings.encryption import encoded
from settings.load import read_settings

KEY, OTHER = bytes(range(32)), bytes(range(32, 64))
"""Not random: they stand in the names of tests, which must be the same in each process."""

URL_SAFE = base64.urlsafe_b64encode(b"\xff" * 32).decode()


def read(monkeypatch: pytest.MonkeyPatch, given: str) -> dict[str, bytes]:
    monkeypatch.setenv("OFFLOAD_ENCRYPTION_KEYS", given)
    return read_settings({"OFFLOAD_ENCRYPTION_KEYS": given}).encryption_keys


def test_keys_keep_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = read(monkeypatch, f"b-2:{encoded(KEY)}, a1:{encoded(OTHER)}")
    assert list(keys.items()) == [("b-2", KEY), ("a1", OTHER)]
    assert read(monkeypatch, "") == {}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (encoded(KEY), "has no id before its key 1"),
        (f"a:{encoded(KEY)},b:{encoded(KEY)[:-1]}", "has a key 2 that is not base64"),
        (f"a:{KEY.hex()}", "has a key 1 of 48 bytes, where 32 are taken"),
        (f"a:{encoded(KEY[:16])}", "has a key 1 of 16 bytes, where 32 are taken"),
        ("a:", "has a key 1 of 0 bytes"),
        (f"a:{encoded(bytes(32))[:-2]}B=", "has a key 1 that is not base64"),
        (f"a:{URL_SAFE}", "has a key 1 that is not base64"),
        (f"a:{encoded(KEY)},a:{encoded(OTHER)}", "names two keys by one id (key 2 has that of an earlier one)"),
        (f"{encoded(KEY)}:a", "has a bad id before its key 1"),
        (f":{encoded(KEY)}", "has a bad id before its key 1"),
        (f"a b:{encoded(KEY)}", "has a bad id before its key 1"),
        (f"{'a' * 33}:{encoded(KEY)}", "has a bad id before its key 1"),
        (",", "holds no key"),
    ],
)
def test_bad_keys_get_one_sentence_without_a_secret(monkeypatch: pytest.MonkeyPatch, given: str, sentence: str) -> None:
    with pytest.raises(SystemExit) as refused:
        read(monkeypatch, given)
    text = str(refused.value)
    assert text.startswith(f"OFFLOAD_ENCRYPTION_KEYS {sentence}") and "\n" not in text
    assert not any(secret[:8] in text for secret in (encoded(KEY), encoded(OTHER), KEY.hex()))


def test_a_made_key_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    made = [CliRunner().invoke(main, ["encryption-key", *rest]) for rest in ([], [], ["--id", "2026"])]
    texts = [one.stdout.strip() for one in made]
    assert texts[2].startswith("2026:") and len(read(monkeypatch, ",".join(texts))) == 3
    assert "Keep a copy apart from the backups" in made[0].stderr
    refused = CliRunner().invoke(main, ["encryption-key", "--id", "no/id"])
    assert refused.exit_code == 1 and "letters, digits and hyphens" in refused.output
