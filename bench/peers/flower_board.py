"""What Flower remembers of many Celery tasks: `python -m bench.peers.flower_board 10000`.

Flower keeps tasks in its own memory, as it heard of them from Celery's events, and with --persistent in a file, which it
writes when it ends and reads when it starts. This writes that file by Flower's own `Events.save_state`.
"""

import os
import sys
import time

from celery.events.state import Task
from flower.events import Events, EventsState

from bench.harness.shares import QUEUES, SHARES, shared_out

STATES = {"completed": "SUCCESS", "failed": "FAILURE", "queued": "PENDING"}


def fill(count: int) -> None:
    state = EventsState(max_tasks_in_memory=count)
    worker = f"celery@{os.uname().nodename}"
    state.event(
        {"type": "worker-heartbeat", "hostname": worker, "timestamp": time.time(), "local_received": time.time()}
    )
    now, number = time.time(), 0
    for kind, name in STATES.items():
        for queue in QUEUES:
            for _ in range(shared_out(count, kind) + 1):
                number += 1
                at = now - number * 0.6
                seen = {"received": at, "args": "('file-0123456789abcdef',)", "kwargs": "{}", "timestamp": at}
                if name != "PENDING":
                    seen |= {"started": at + 1, "runtime": 0.9, "worker": state.workers[worker]}
                task = Task(f"{number:032x}", name=f"tasks.{queue}", state=name, routing_key=queue, **seen)
                state.tasks[task.uuid] = task
    events = Events.__new__(Events)
    events.db, events.state, events.state_save_timer, events.state_save_interval = (
        os.environ["BENCH_DB"],
        state,
        None,
        0,
    )
    events.save_state()
    print("job", f"{number:032x}")


if __name__ == "__main__":
    assert set(STATES) == set(SHARES)
    fill(int(sys.argv[1]))
