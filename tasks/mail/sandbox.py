"""The Jinja environment that templates written by strangers run in."""

from typing import Any

from jinja2 import StrictUndefined
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

REPEAT_MAX = 100_000
"""Characters or items that one multiplication may make."""

POWER_MAX = 1_000
"""Largest exponent: beyond it a power is a way to stop the process, not a message."""


class Sandbox(ImmutableSandboxedEnvironment):
    """No attribute that leads outside, no change of what it is given, no value that fills the memory in one step.

    Time and memory are bounded besides, by running it in a child process that can be killed.
    """

    intercepted_binops = frozenset(["*", "**"])

    def __init__(self, *, autoescape: bool) -> None:
        # Unoptimized: the optimizer works out constant expressions while it compiles, before any bound applies.
        super().__init__(autoescape=autoescape, undefined=StrictUndefined, optimized=False, keep_trailing_newline=False)
        for name in ("lipsum", "cycler", "joiner"):
            del self.globals[name]

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Bounded multiplication and powers. Raises SecurityError."""
        if operator == "**" and abs(right) > POWER_MAX:
            raise SecurityError(f"an exponent may be {POWER_MAX:,} at most")
        for many, times in ((left, right), (right, left)):
            if hasattr(many, "__len__") and isinstance(times, int) and len(many) * times > REPEAT_MAX:
                raise SecurityError(f"a multiplication may make {REPEAT_MAX:,} characters at most")
        return super().call_binop(context, operator, left, right)


HTML = Sandbox(autoescape=True)
PLAIN = Sandbox(autoescape=False)
ENVIRONMENTS = {"subject": PLAIN, "html": HTML, "text": PLAIN}
"""Environment in which each field of a template is compiled."""
