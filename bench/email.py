"""Messages a second to a local sink, compared with a plain aiosmtplib loop in the same run; the rate limit's strictness; memory.

Run: `python -m bench.email [messages]`; the table goes to bench/out/email.json too. The sink is an aiosmtpd server in a
process of its own that keeps only the time of each message. With the limit off the product renders (in its process pool),
claims, sends, journals and settles each message; the plain loop sends ready-made bytes. The contenders take turns, and
each figure is the median of its runs. With the limit on, two workers share a rate and the sink's own clock is the judge.
"""

import asyncio
import logging
import multiprocessing
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from itertools import pairwise
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

import aiosmtplib
import psutil
import structlog
import uvloop
from aiosmtpd.smtp import SMTP, Envelope, Session

from bench.harness.report import table
from service.database import Database, open_database
from service.database.seed_users import seed_users
from service.engine.pool.cpu_pool import CpuPool
from service.engine.rate_limiter import RateLimiter
from service.engine.redis.client import connect
from service.lib.tickets import Tickets
from service.mail.campaigns import CampaignRows
from service.mail.counters import MailCounters
from service.mail.deliveries import DeliveryRows
from service.mail.mailer import SmtpMailer
from service.mail.server_status import ServerStatus
from service.mail.smtp_pool import CONNECTIONS
from service.mail.unsubscribe import Links
from service.supervisor.valkey import EmbeddedValkey
from tasks.mail.render import messages
from tasks.mail.template import Source
from tasks.ports.mail import StoredTemplate

SOURCE = Source(
    "News for {{ user.name }}",
    "<style>p { color: #333 }</style>" + "<p>Hello {{ user.name }}, this is a paragraph of some length.</p>" * 20,
    "Hello {{ user.name }}, this is a line of some length.\n" * 20,
)
TEMPLATE = StoredTemplate("template-bench", "bench", SOURCE)
SENDER = "Offload <bench@example.org>"
PART = 50
PARTS_AT_ONCE = 5
PER_MINUTE = 100
WAITING = 12_000
RUNS = 3
POOL_MB = 1_024

Row = tuple[str, float, str]
"""What, how much, and of which unit."""


class Clock:
    """Notes when each message was complete."""

    def __init__(self) -> None:
        self.times_s: list[float] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        self.times_s.append(time.monotonic())
        return "250 kept"


def sink(pipe: Pipe) -> None:
    """An SMTP server in its own process; sends its port, and its times each time it is asked."""

    async def serve() -> None:
        clock = Clock()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: SMTP(clock, hostname="localhost"), "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        while await asyncio.to_thread(pipe.recv):
            pipe.send(clock.times_s)
            clock.times_s = []

    asyncio.run(serve())


async def plain_loop(port: int, contents: Sequence[tuple[str, bytes]]) -> float:
    """Seconds for one connection of aiosmtplib to send everything, one after another."""
    started = time.perf_counter()
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, local_hostname="localhost") as client:
        for address, content in contents:
            await client.sendmail("bench@example.org", [address], content)
    return time.perf_counter() - started


@dataclass
class Stage:
    """What the measurements play on."""

    database: Database
    rows: CampaignRows
    redis_url: str
    port: int
    folder: Path
    pool: CpuPool

    @asynccontextmanager
    async def mailer(self, per_minute: int, width: int) -> AsyncIterator[SmtpMailer]:
        """The product's own sender, as a worker has it, over `width` connections."""
        redis = connect(self.redis_url)
        url = f"smtp://127.0.0.1:{self.port}"
        deliveries = DeliveryRows(self.database, self.folder / "journals")
        made = SmtpMailer(
            url,
            SENDER,
            deliveries,
            RateLimiter(redis, "bench", per_minute),
            MailCounters(redis),
            ServerStatus(redis),
            connections=width,
        )
        yield made
        await made.close()
        await redis.aclose(close_connection_pool=True)

    async def campaign(self, through: Sequence[SmtpMailer], name: str, count: int) -> float:
        """Seconds to render, send and settle a campaign to `count` users: parts of fifty, as many at once as a worker takes."""
        await self.rows.open(name, "bench", TEMPLATE, segment=None, user_ids=range(1, count + 1))
        parts = iter([range(first, min(first + PART, count + 1)) for first in range(1, count + 1, PART)])

        async def work(by: SmtpMailer) -> None:
            for part in parts:
                await self._part(by, name, part)
                await by.settled()

        started = time.perf_counter()
        await asyncio.gather(*(work(by) for by in through for _ in range(PARTS_AT_ONCE)))
        return time.perf_counter() - started

    async def _part(self, by: SmtpMailer, name: str, part: Sequence[int]) -> None:
        letters = await self.rows.letters(name, part)
        written = await self.pool.run(messages, SOURCE, letters, SENDER)
        pairs = iter(list(zip(letters, written, strict=True)))

        async def send_in_turn() -> None:
            for letter, content in pairs:
                assert isinstance(content, bytes)
                await by.send(name, letter.position, letter.address, content)

        await asyncio.gather(*(send_in_turn() for _ in range(CONNECTIONS)))


async def speeds(stage: Stage, count: int) -> list[Row]:
    """The plain loop, and campaigns with the limit off, in turns."""
    letters = await stage.rows.letters("opened", range(1, count + 1))
    written = messages(SOURCE, letters, SENDER)
    ready = [
        (one.address, content) for one, content in zip(letters, written, strict=True) if isinstance(content, bytes)
    ]
    # A worker's child has long been started, too.
    await stage.pool.run(messages, SOURCE, letters[:1], SENDER)
    rates: dict[str, list[float]] = {}
    for run in range(RUNS):
        took_s = await plain_loop(stage.port, ready)
        rates.setdefault("plain aiosmtplib loop, 1 connection", []).append(count / took_s)
        for width in (1, CONNECTIONS):
            async with stage.mailer(0, width) as made:
                took_s = await stage.campaign([made], f"off-{width}-{run}", count)
            noun = "connection" if width == 1 else "connections"
            rates.setdefault(f"campaign, limit off, {width} {noun}", []).append(count / took_s)
    return [(name, statistics.median(found), "messages/s") for name, found in rates.items()]


async def strictness(stage: Stage, pipe: Pipe) -> list[Row]:
    """Two workers under one limit, by the sink's clock, for a quarter longer than the window."""
    pipe.send(True)
    pipe.recv()
    async with stage.mailer(PER_MINUTE, CONNECTIONS) as one, stage.mailer(PER_MINUTE, CONNECTIONS) as two:
        await stage.campaign([one, two], "on", PER_MINUTE + PER_MINUTE // 4)
    pipe.send(True)
    times_s = pipe.recv()
    gaps_ms = [(after - before) * 1000 for before, after in pairwise(times_s)]
    limit = f"limit {PER_MINUTE:,} a minute, two workers"
    return [
        (f"{limit}: most in any 60 s", widest(times_s, 60.0), "messages"),
        (f"{limit}: spacing, median", statistics.median(gaps_ms), "ms"),
        (f"{limit}: spacing, least", min(gaps_ms), "ms"),
        (f"{limit}: spacing, most", max(gaps_ms), "ms"),
        (f"{limit}: spacing, standard deviation", statistics.pstdev(gaps_ms), "ms"),
    ]


async def waiting(rows: CampaignRows) -> list[Row]:
    """What a worker's memory grows by when it opens a large campaign, at its peak and while the recipients wait."""
    before_mb = psutil.Process().memory_info().rss / 1e6
    await rows.open("opened", "bench", TEMPLATE, segment="all", user_ids=None)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    held_mb = psutil.Process().memory_info().rss / 1e6
    what = f"memory for {WAITING:,} recipients"
    return [
        (f"{what}, while they wait", held_mb - before_mb, "MB more"),
        (f"{what}, peak at the opening", peak_mb - before_mb, "MB more"),
    ]


def widest(times_s: Sequence[float], window_s: float) -> int:
    """The most messages in any window of that length."""
    first = most = 0
    for last, moment in enumerate(times_s):
        while moment - times_s[first] >= window_s:
            first += 1
        most = max(most, last - first + 1)
    return most


async def measured(count: int) -> list[Row]:
    """All of it, on a database, a queue server and a sink of its own."""
    pipe, theirs = multiprocessing.Pipe()
    multiprocessing.get_context("spawn").Process(target=sink, args=(theirs,), daemon=True).start()
    port = pipe.recv()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite+aiosqlite:///{folder}/bench.db"
        async with EmbeddedValkey(folder / "valkey") as valkey, open_database(url) as database:
            await seed_users(database, WAITING)
            rows = CampaignRows(
                database, Links("https://example.org", b"a key for this run only"), SENDER, Tickets(b"another key")
            )
            found = await waiting(rows)
            pool = CpuPool(1, memory_mb=POOL_MB, name="bench")
            stage = Stage(database, rows, valkey.url, port, folder, pool)
            found = [*await speeds(stage, count), *await strictness(stage, pipe), *found]
            await pool.close()
    pipe.send(False)
    return found


def main() -> None:
    """Print one table."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    # As the workers do.
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    rows = asyncio.run(measured(count))
    settings = {"messages": count, "runs": RUNS, "aiosmtplib": version("aiosmtplib"), "aiosmtpd": version("aiosmtpd")}
    table("email", "E-mail", ("what", "measured", "unit"), rows, [], **settings)


if __name__ == "__main__":
    main()
