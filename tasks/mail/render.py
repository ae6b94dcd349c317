"""From a template and recipients to messages. Runs in a child process, because a template is somebody else's program."""

import functools
from typing import Any

import css_inline
import msgspec
from jinja2 import Template, TemplateError

from tasks.mail.message import message, one_line
from tasks.mail.sandbox import ENVIRONMENTS
from tasks.mail.template import Problem, Source

RENDERED_MAX = 2_000_000
"""Characters of one rendered field. Providers take 10 to 25 MB a message; what a loop makes by mistake is more."""

COMPILED_KEPT = 8
"""Templates that a process keeps compiled: compiling takes as long as writing fifty messages, a part's worth."""

INLINER = css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)
"""Many mail programs drop <style>; rules that cannot be inlined, such as media queries, stay in one."""


class Letter(msgspec.Struct, frozen=True):
    """One recipient, as a message to them needs it. `user` holds what templates may ask of the recipient."""

    position: int
    address: str
    user: dict[str, Any]
    message_id: str
    unsubscribe_url: str


class Rendered(msgspec.Struct, frozen=True):
    """The three texts, filled in. The HTML has its styles inlined."""

    subject: str
    html: str
    text: str


def render(source: Source, letter: Letter) -> Rendered | Problem:
    """One recipient's texts, or why there are none."""
    return _render(_compiled(source), letter)


def check(source: Source, letters: list[Letter]) -> Problem | None:
    """The first problem that any of these recipients would meet. Nothing is kept of what is rendered."""
    compiled = _compiled(source)
    for letter in letters:
        found = _render(compiled, letter)
        if isinstance(found, Problem):
            return Problem(found.field, found.line, f"{found.reason} (for user {letter.user['id']})")
    return None


def messages(source: Source, letters: list[Letter], sender: str) -> list[bytes | Problem]:
    """The messages to these recipients, each as bytes for the wire, or why there is none; in order."""
    compiled = _compiled(source)
    return [_message(compiled, letter, sender) for letter in letters]


def _message(compiled: dict[str, Template], letter: Letter, sender: str) -> bytes | Problem:
    found = _render(compiled, letter)
    if isinstance(found, Problem):
        return found
    try:
        return message(
            sender=sender,
            to_name=str(letter.user["name"]),
            to_address=letter.address,
            subject=found.subject,
            html=found.html,
            text=found.text,
            message_id=letter.message_id,
            unsubscribe_url=letter.unsubscribe_url,
        )
    except (ValueError, LookupError) as error:
        # Such as a lone surrogate in a name, which no charset can carry.
        return Problem("message", None, str(error))


@functools.lru_cache(maxsize=COMPILED_KEPT)
def _compiled(source: Source) -> dict[str, Template]:
    return {field: environment.from_string(getattr(source, field)) for field, environment in ENVIRONMENTS.items()}


def _render(compiled: dict[str, Template], letter: Letter) -> Rendered | Problem:
    variables = {"user": letter.user, "unsubscribe_url": letter.unsubscribe_url}
    texts: dict[str, str] = {}
    for field, template in compiled.items():
        try:
            texts[field] = _bounded(template, variables)
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            return Problem(field, _line(error), str(error) or type(error).__name__)
        except (RecursionError, MemoryError) as error:
            return Problem(field, None, type(error).__name__)
    try:
        html = INLINER.inline(texts["html"])
    except css_inline.InlineError as error:
        return Problem("html", None, f"its styles cannot be inlined: {error}")
    return Rendered(one_line(texts["subject"]), html, texts["text"])


def _bounded(template: Template, variables: dict[str, Any]) -> str:
    pieces, size = [], 0
    for piece in template.generate(variables):
        size += len(piece)
        if size > RENDERED_MAX:
            raise ValueError(f"it grows beyond {RENDERED_MAX:,} characters")
        pieces.append(piece)
    return "".join(pieces)


def _line(error: BaseException) -> int | None:
    """The template's line that raised: Jinja rewrites tracebacks so that its frames bear the template's lines."""
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
