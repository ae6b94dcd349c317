"""From a template and recipients to messages. Runs in a child process, because a template is a program of its author's."""

import re
from typing import Any

import css_inline
import msgspec
from jinja2 import Template, TemplateError

from tasks.mail.addresses import MASK, masked
from tasks.mail.message import message, one_line
from tasks.mail.template import Problem, Source, compiled

RENDERED_MAX = 2_000_000
"""Characters of one rendered field. Providers take 10 to 25 MB a message; what a loop makes by mistake is more."""

INLINER = css_inline.CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)
"""Many mail programs drop <style>; rules that cannot be inlined, such as media queries, stay in one."""


class Letter(msgspec.Struct, frozen=True):
    """One recipient, as a message to them needs it. `user` has the fields that templates may use."""

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


class Checked(msgspec.Struct, frozen=True):
    """A template that works for all recipients it was tried for: bytes of the largest message, about."""

    largest: int


def render(source: Source, letter: Letter) -> Rendered | Problem:
    """One recipient's texts, or why there are none."""
    found = compiled(source)
    return found.problems[0] if found.problems else _render(found.fields, letter)


def check(source: Source, letters: list[Letter], sender: str) -> Checked | list[Problem]:
    """All problems that can be found without rendering, else the first that any of these recipients would meet.

    Of what is rendered only the size of the longest is kept.
    """
    found = compiled(source)
    if found.problems:
        return found.problems
    longest, largest = 0, 0
    for letter in letters:
        rendered = _render(found.fields, letter)
        if isinstance(rendered, Problem):
            reason = f"{_without_values(rendered.reason, letter)} (for user {letter.user['id']})"
            return [Problem(rendered.field, rendered.line, reason)]
        length = len(rendered.subject) + len(rendered.html) + len(rendered.text)
        if length > longest:
            written = _written(rendered, letter, sender)
            longest, largest = length, max(largest, 0 if isinstance(written, Problem) else len(written))
    return Checked(largest)


def _without_values(reason: str, letter: Letter) -> str:
    """A reason without the recipient's name and address: it is shown to people who may not see them."""
    reason = masked(reason, letter.address, str(letter.user.get("email", "")))
    for word in str(letter.user.get("name", "")).split():
        if len(word) > 2:
            reason = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", MASK, reason)
    return reason


def messages(source: Source, letters: list[Letter], sender: str) -> list[bytes | Problem]:
    """The messages to these recipients, each as bytes for the wire, or why there is none; in order."""
    found = compiled(source)
    if found.problems:
        return [found.problems[0]] * len(letters)
    return [_message(found.fields, letter, sender) for letter in letters]


def _message(fields: dict[str, Template], letter: Letter, sender: str) -> bytes | Problem:
    rendered = _render(fields, letter)
    if isinstance(rendered, Problem):
        return Problem(rendered.field, rendered.line, _without_values(rendered.reason, letter))
    return _written(rendered, letter, sender)


def _written(rendered: Rendered, letter: Letter, sender: str) -> bytes | Problem:
    try:
        return message(
            sender=sender,
            to_name=str(letter.user["name"]),
            to_address=letter.address,
            subject=rendered.subject,
            html=rendered.html,
            text=rendered.text,
            message_id=letter.message_id,
            unsubscribe_url=letter.unsubscribe_url,
        )
    except (ValueError, LookupError) as error:
        # Such as a lone surrogate in a name, which no charset can carry.
        return Problem("message", None, _without_values(str(error), letter))


def _render(fields: dict[str, Template], letter: Letter) -> Rendered | Problem:
    variables = {"user": letter.user, "unsubscribe_url": letter.unsubscribe_url}
    texts: dict[str, str] = {}
    for field, template in fields.items():
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
