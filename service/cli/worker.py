"""`offload worker QUEUE…`: one `arq` worker process for each queue named, which live and end together."""

import signal
import subprocess
import sys
import time

import click

from service.cli.queue_name import QueueName
from service.lib.parent_death import die_with_parent
from settings import Queue

POLL_S = 0.2


@click.command()
@click.argument("queues", nargs=-1, required=True, type=QueueName())
def worker(queues: tuple[str, ...]) -> None:
    """Run workers of QUEUES in this terminal until Ctrl-C or SIGTERM, which hands running jobs back.

    Example: offload worker pdf-processing thumbnails
    """
    classes = [Queue(queue).worker_class for queue in dict.fromkeys(queues)]
    children = [
        subprocess.Popen(
            [sys.executable, "-m", "arq", f"tasks.workers.{name}"],
            # In a group of their own: Ctrl-C reaches them through this process, and once.
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
        for name in classes
    ]

    def stop(number: int, _: object) -> None:
        for child in children:
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    while all(child.poll() is None for child in children):
        time.sleep(POLL_S)
    # One that ended unasked takes the others with it: a supervisor then starts all of them again.
    stop(signal.SIGTERM, None)
    codes = [child.wait() for child in children]
    sys.exit(next((code if code > 0 else 128 - code for code in codes if code), 0))
