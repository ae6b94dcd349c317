"""Blows, and what a supervisor or an operator would do after each. Which, where and when is drawn from a seed."""

import asyncio
import contextlib
import os
import random
import signal
from collections.abc import Callable, Sequence

import psutil

from tests.chaos.campaign.fleet import LEASE_S, Fleet
from tests.production.needs import FAKETIME
from tests.waiting import wait_until_async

AT_ONCE = 2
"""Blows that may fall at the same time, on different parts."""

SKEWS_S = (-600, 600)

FUSE_S = 10.0
"""Longest wait for a request to die over."""

PACE_S = 30.0
"""Longest wait for requests before a blow: on a busy machine a web process takes a minute to start, and blows that meet no
job show nothing."""

WEIGHTS = {
    "kill": 4,
    "deploy": 3,
    "freeze": 3,
    "kill_child": 2,
    "cut": 3,
    "reset": 2,
    "skew": 2,
    "stall": 1,
    "kill_web": 1,
    "kill_before_answer": 2,
    "kill_server": 2,
    "torn_log": 2,
    "full_disk": 2,
    "failover": 2,
}
"""Each kind of blow, as often as it should come compared with others."""

BLOWS = tuple(name for name in WEIGHTS if name != "skew" or FAKETIME)


def drawn(chosen: random.Random, count: int) -> list[str]:
    """Names of `count` blows: each kind once, where there is room for all, and the rest by weight."""
    names = list(BLOWS[:count])
    names += chosen.choices(BLOWS, weights=[WEIGHTS[name] for name in BLOWS], k=count - len(names))
    chosen.shuffle(names)
    return names


class Attacker:
    """Strikes at a fleet. What concerns the servers, the web process or one slot falls on it one after the other."""

    def __init__(self, fleet: Fleet, chosen: random.Random) -> None:
        self.fleet = fleet
        self.random = chosen
        self.begun = 0
        self.servers, self.web = asyncio.Lock(), asyncio.Lock()
        self.slots = [asyncio.Lock() for _ in range(fleet.slots)]

    async def strike_all(
        self, names: Sequence[str], pauses_s: tuple[float, float], keeping_pace: Callable[[], bool] = lambda: True
    ) -> None:
        """Every blow, at most AT_ONCE at a time. The next waits up to PACE_S until the requests are `keeping_pace`."""
        room = asyncio.Semaphore(AT_ONCE)

        async def strike(name: str, slot: int, number: float) -> None:
            try:
                await getattr(self, name)(slot, number)
            finally:
                room.release()

        async with asyncio.TaskGroup() as group:
            for name in names:
                await room.acquire()
                with contextlib.suppress(AssertionError):
                    await wait_until_async(keeping_pace, PACE_S)
                self.begun += 1
                group.create_task(strike(name, self.random.randrange(self.fleet.slots), self.random.random()))
                await asyncio.sleep(self.random.uniform(*pauses_s))

    async def kill(self, slot: int, number: float) -> None:
        async with self.slots[slot], self.fleet.blow("kill", self.fleet.workers[slot].pid):
            await asyncio.to_thread(self.fleet.workers[slot].kill)
            self.fleet.workers[slot] = self.fleet.hire(slot)

    async def skew(self, slot: int, number: float) -> None:
        """One whose clock is wrong by ten minutes takes the place of another."""
        shift_s = SKEWS_S[number < 0.5]
        async with self.slots[slot], self.fleet.blow("skew", self.fleet.workers[slot].pid):
            await asyncio.to_thread(self.fleet.workers[slot].kill)
            wrong = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": f"{shift_s:+d}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
            self.fleet.workers[slot] = self.fleet.hire(slot, **wrong)

    async def deploy(self, slot: int, number: float) -> None:
        async with self.slots[slot]:
            old = self.fleet.workers[slot]
            async with self.fleet.blow("deploy", old.pid):
                self.fleet.workers[slot] = self.fleet.hire(slot)
                old.terminate()
                await wait_until_async(lambda: old.process.poll() is not None)

    async def freeze(self, slot: int, number: float) -> None:
        async with self.slots[slot]:
            pid = self.fleet.workers[slot].pid
            async with self.fleet.blow("freeze", pid):
                os.kill(pid, signal.SIGSTOP)
                await asyncio.sleep(LEASE_S * (1.2 + number))  # longer than a lease: what the blow is about
                os.kill(pid, signal.SIGCONT)

    async def kill_child(self, slot: int, number: float) -> None:
        async with self.slots[slot]:
            worker = self.fleet.workers[slot]
            async with self.fleet.blow("kill_child", worker.pid):
                with contextlib.suppress(psutil.NoSuchProcess):
                    children = psutil.Process(worker.pid).children(recursive=True)
                    if children:
                        children[int(number * len(children))].kill()

    async def cut(self, slot: int, number: float) -> None:
        async with self.slots[slot], self.fleet.blow("cut", self.fleet.workers[slot].pid):
            await asyncio.to_thread(self.fleet.cables.cut, slot)
            await asyncio.sleep(LEASE_S * (1.2 + number))  # likewise
            await asyncio.to_thread(self.fleet.cables.join, slot)

    async def reset(self, slot: int, number: float) -> None:
        async with self.slots[slot], self.fleet.blow("reset", self.fleet.workers[slot].pid):
            self.fleet.cables.proxies[slot].cut()

    async def stall(self, slot: int, number: float) -> None:
        async with self.servers, self.fleet.blow("stall"), self.fleet.cables.stalled():
            await asyncio.sleep(LEASE_S * (0.5 + number))  # likewise

    async def kill_web(self, slot: int, number: float) -> None:
        assert self.fleet.web is not None
        async with self.web, self.fleet.blow("kill_web", self.fleet.web.pid):
            await asyncio.to_thread(self.fleet.web.kill)
            await self.fleet.start_web()

    async def kill_before_answer(self, slot: int, number: float) -> None:
        """The next request that is accepted gets no answer: its web process dies over that."""
        async with self.web:
            web = self.fleet.web
            assert web is not None
            async with self.fleet.blow("kill_before_answer", web.pid):
                self.fleet.fuse.touch()
                with contextlib.suppress(AssertionError):
                    await wait_until_async(lambda: web.process.poll() is not None, FUSE_S)
                self.fleet.fuse.unlink(missing_ok=True)
                await asyncio.to_thread(web.kill)
                await self.fleet.start_web()

    async def kill_server(self, slot: int, number: float) -> None:
        async with self.servers, self.fleet.blow("kill_server"):
            await asyncio.to_thread(self.fleet.servers.primary.kill)
            await asyncio.sleep(number)
            await asyncio.to_thread(self.fleet.servers.restart)

    async def torn_log(self, slot: int, number: float) -> None:
        async with self.servers, self.fleet.blow("torn_log"):
            async with self.fleet.cables.stalled():
                await asyncio.to_thread(self.fleet.servers.tear, random.Random(number))
            await asyncio.to_thread(self.fleet.servers.restart)

    async def full_disk(self, slot: int, number: float) -> None:
        async with self.servers, self.fleet.blow("full_disk"):
            await asyncio.to_thread(self.fleet.servers.fill_disk)
            await asyncio.to_thread(self.fleet.servers.restart)

    async def failover(self, slot: int, number: float) -> None:
        async with self.servers, self.fleet.blow("failover"):
            await asyncio.to_thread(self.fleet.servers.promote)
            self.fleet.cables.lead_to(self.fleet.servers.primary.port)
            await asyncio.sleep(number)
            await asyncio.to_thread(self.fleet.servers.rejoin)
