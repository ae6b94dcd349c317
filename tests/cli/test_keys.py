"""`offload keys` on a database of its own."""

import os
import subprocess

from service.database import open_database
from service.monitoring.audit_log import Audit, AuditFilter
from settings import load_settings
from tests.supervisor.stack import OFFLOAD


def keys(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*OFFLOAD, "keys", *arguments], capture_output=True, text=True, env=dict(os.environ), check=False
    )


async def test_a_key_is_created_listed_rotated_and_revoked(settings_env: dict[str, str]) -> None:
    made = keys("create", "--owner", "acme", "--name", "web app", "--scope", "read", "--type", "pdf-ocr", "--days", "9")
    secret = made.stdout.strip()
    assert made.returncode == 0 and secret.startswith("offload_") and secret not in made.stderr
    (row,) = (line.split("\t") for line in keys("list").stdout.splitlines())
    assert row[1:6] == ["acme", "web app", f"{secret[:12]}…", "read", "pdf-ocr"] and row[6] == "valid"
    successor = keys("rotate", row[0], "--overlap", "0")
    assert successor.returncode == 0 and successor.stdout.strip() != secret
    states = {line.split("\t")[0]: line.split("\t")[6] for line in keys("list", "--owner", "acme").stdout.splitlines()}
    assert states[row[0]] == "expired" and len(states) == 2
    newest = next(key_id for key_id, state in states.items() if state == "valid")
    assert keys("revoke", newest).stdout == f"{newest} (web app, of acme) is revoked.\n"
    again = keys("revoke", newest)
    assert (again.returncode, again.stderr) == (1, f"Error: API key {newest} was revoked already.\n")
    async with open_database(load_settings().database_url) as database:
        lines = (await Audit(database).page(AuditFilter())).events
    assert [line.action for line in lines] == ["key.revoked", "key.rotated", "key.created"]
    assert all(line.actor.startswith("cli:") and secret not in str(line.detail) for line in lines)
