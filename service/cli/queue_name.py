"""Names of queues on the command line: those that exist when the command runs, packages' queues among them."""

from typing import Any

import click
from click.shell_completion import CompletionItem

from settings import Queue


class QueueName(click.ParamType):
    """A queue by its name."""

    name = "queue"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name. Fails with the names that there are."""
        known = [str(queue) for queue in Queue]
        if value not in known:
            self.fail(f"{value!r} is not one of {', '.join(map(repr, known))}.", param, ctx)
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Queues that begin with what was typed."""
        return [CompletionItem(str(queue)) for queue in Queue if queue.startswith(incomplete)]

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return "QUEUE"
