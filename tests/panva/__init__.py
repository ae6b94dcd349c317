"""An OpenID Connect provider that others make and certify (oidc-provider, of npm), as a process on `localhost`.

Offload is at 127.0.0.1 in the tests, so that browsers take the two for different sites.
"""

import json
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from tests.ports import free_port
from tests.waiting import LIMIT_S

HERE = Path(__file__).parent
HOST = "localhost"
SECRET = "a secret+of%the/client:&="
"""With the signs that have to be encoded in an Authorization header (RFC 6749, 2.3.1)."""


def installed(folder: Path) -> Path:
    """Copy the server there, and the packages of its lock file. Skips the test where node, npm or its registry is not there."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed here (apt-get install nodejs npm)")
    for name in ("server.mjs", "package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    command = ["npm", "ci", "--silent", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm did not install oidc-provider within {LIMIT_S:.0f} s: is its registry in reach?")
    if done.returncode:
        pytest.skip(f"npm cannot install oidc-provider here: {(done.stderr or done.stdout)[-300:]}")
    return folder


def signing_keys(generation: str = "1") -> list[Key]:
    """A key for each algorithm, with names of this generation."""
    named = {"use": "sig"}
    return [
        RSAKey.generate_key(2048, named | {"kid": f"rsa-{generation}"}),
        ECKey.generate_key("P-256", named | {"kid": f"ec-{generation}"}),
        OKPKey.generate_key("Ed25519", named | {"kid": f"okp-{generation}"}),
    ]


def client(callback: str, client_id: str = "offload", **more: Any) -> dict[str, Any]:
    """A client that may come back to `callback`, and to the page above it after signing out."""
    return {
        "client_id": client_id,
        "client_secret": SECRET,
        "redirect_uris": [callback],
        "post_logout_redirect_uris": [callback.removesuffix("/oidc/callback")],
        **more,
    }


@dataclass
class Panva:
    """The provider: what it is to be, and the process that is it."""

    folder: Path
    clients: list[dict[str, Any]]
    people: dict[str, dict[str, Any]]
    keys: list[Key] = field(default_factory=signing_keys)
    published: list[dict[str, Any]] = field(default_factory=list)
    """Public keys that stand before its own, of kinds that it does not sign with."""
    described: dict[str, Any] = field(default_factory=dict)
    """Fields of its description in the place of its own."""
    at_userinfo: list[str] = field(default_factory=list)
    """Claims that are at the userinfo endpoint only."""
    path: str = ""
    """Path of the issuer."""
    ahead_s: int = 0
    """Seconds by which its clock is ahead."""
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[str] | None = None

    @property
    def origin(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def issuer(self) -> str:
        return self.origin + self.path

    def start(self) -> "Panva":
        """Start it, or again with what was changed: it remembers nothing."""
        self.stop()
        given = {
            **{name: getattr(self, name) for name in ("issuer", "port", "clients", "people", "described", "ahead_s")},
            **{name: getattr(self, name) for name in ("published", "at_userinfo")},
            "host": HOST,
            "keys": [key.as_dict(private=True) for key in self.keys],
        }
        file, log = self.folder / f"{self.port}.json", self.folder / f"{self.port}.log"
        file.write_text(json.dumps(given))
        with log.open("a") as errors:
            command = ["node", str(self.folder / "server.mjs"), str(file)]
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        assert self.process.stdout
        # What it has to say of itself comes before it listens.
        assert any(line == "ready\n" for line in self.process.stdout), log.read_text()
        return self

    def stop(self) -> None:
        """End it."""
        if self.process:
            self.process.terminate()
            self.process.communicate()
            self.process = None

    @property
    def log(self) -> str:
        return (self.folder / f"{self.port}.log").read_text()


async def consent(browser: httpx.AsyncClient, url: str, name: str) -> str:
    """Sign in at the provider's own pages and agree; the address outside of it to which it leads."""
    origin = re.match(r"https?://[^/]+", url)
    assert origin
    forms = {"login": {"prompt": "login", "login": name, "password": "any"}, "consent": {"prompt": "consent"}}
    while url.startswith(origin[0]):
        answer = await browser.get(url)
        if answer.status_code == 200:
            found = re.search(r'name="prompt" value="(\w+)"', answer.text)
            assert found, answer.text
            answer = await browser.post(url, data=forms[found[1]])
        assert answer.has_redirect_location, answer.text
        url = urljoin(url, answer.headers["location"])
    return url
