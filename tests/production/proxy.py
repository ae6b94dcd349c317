"""HAProxy in front of three servers, asking the Sentinels as docs/scaling.md has it."""

import subprocess
from pathlib import Path

from tests.ports import free_port
from tests.production.needs import need_program
from tests.production.servers import Watched
from tests.waiting import wait_until

HEAD = """\
defaults
    mode tcp
    timeout connect 5s
    timeout client 1h
    timeout server 1h

frontend queue
    bind 127.0.0.1:{port}
{uses}
"""

BACKEND = """
backend {name}
    option tcp-check
    tcp-check connect port {sentinel}
    tcp-check send "SENTINEL get-master-addr-by-name offload\\r\\n"
    tcp-check expect string "{host}\\r\\n"
    default-server check inter 500ms fall 1 rise 2 on-marked-down shutdown-sessions
    server named {host}:{port} addr {witness}
"""


class Proxy:
    """A running one. Each server is vouched for by the Sentinel of the next machine."""

    def __init__(self, folder: Path, watched: Watched) -> None:
        program = need_program("haproxy")
        self.port = free_port()
        names = ("one", "two", "three")
        uses = "\n".join(f"    use_backend {name} if {{ srv_is_up({name}/named) }}" for name in names)
        text = HEAD.format(port=self.port, uses=uses)
        for number, name in enumerate(names):
            server, witness = watched.servers[number], watched.sentinels[(number + 1) % 3]
            text += BACKEND.format(
                name=name, host=server.host, port=server.port, sentinel=witness.port, witness=witness.host
            )
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "haproxy.cfg"
        file.write_text(text)
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen([program, "-db", "-f", str(file)], stdout=log, stderr=log)
        wait_until(lambda: watched.servers[0].through(self.port))

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def stop(self) -> None:
        self.process.kill()
        self.process.wait(10)
