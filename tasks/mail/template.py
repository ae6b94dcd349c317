"""The texts of a template: compiled and checked before any message is written from them."""

import functools
from typing import Any

import msgspec
from jinja2 import Environment, Template, TemplateError, nodes
from jinja2.exceptions import TemplateSyntaxError
from jinja2.meta import find_undeclared_variables

from tasks.mail.sandbox import ENVIRONMENTS

USER_FIELDS = ("id", "name", "email", "locale", "plan")
"""Fields of `user` in a template."""

VARIABLES = ("user", "unsubscribe_url")
"""Variables of every template."""

FIELD_MAX = 500_000
"""Characters of one field: above what mail programs show uncut (Gmail clips at 102 KB), far below what hurts."""

COMPILED_MAX = 8
"""Templates that a process keeps compiled: compiling takes as long as writing fifty messages, a part's worth."""


class Source(msgspec.Struct, frozen=True):
    """The three texts of a template."""

    subject: str
    html: str
    text: str


class Problem(msgspec.Struct, frozen=True):
    """A fault of a template: its field, its line (None where it has none), and the reason."""

    field: str
    line: int | None
    reason: str

    @property
    def sentence(self) -> str:
        """The fault in a sentence for the template's author."""
        location = f"{self.field}, line {self.line}" if self.line else self.field
        return f"The template does not work ({location}): {self.reason.rstrip('.')}."


class Compiled(msgspec.Struct):
    """A template's fields, compiled, or the problems that were found without rendering."""

    fields: dict[str, Template]
    problems: list[Problem]


@functools.lru_cache(maxsize=COMPILED_MAX)
def compiled(source: Source) -> Compiled:
    """A template parsed, checked and compiled, once per process: syntax, unknown variables, fields of the user, size.

    Constants that a template works out while it is compiled can cost seconds and hundreds of MB, so this is called in
    child processes only, whose time and memory are bounded.
    """
    made = Compiled({}, [])
    for field, environment in ENVIRONMENTS.items():
        text = getattr(source, field)
        if not text.strip():
            made.problems.append(Problem(field, None, f"{field} is empty"))
        elif len(text) > FIELD_MAX:
            reason = f"{field} has {len(text):,} characters; {FIELD_MAX:,} are the limit"
            made.problems.append(Problem(field, None, reason))
        else:
            _compile(made, field, text, environment)
    return made


def problems(source: Source) -> list[Problem]:
    """Everything that can be found without rendering."""
    return compiled(source).problems


def _compile(made: Compiled, field: str, text: str, environment: Environment) -> None:
    try:
        tree = environment.parse(text)
        code = environment.compile(tree)
    except TemplateSyntaxError as error:
        made.problems.append(Problem(field, error.lineno, error.message or "it cannot be read"))
        return
    except (TemplateError, RecursionError, SyntaxError, ValueError, MemoryError) as error:
        made.problems.append(Problem(field, None, str(error) or type(error).__name__))
        return
    made.problems += [*_unknown_variables(field, tree), *_unknown_fields(field, tree), *_from_outside(field, tree)]
    made.fields[field] = environment.template_class.from_code(environment, code, environment.globals)


def _unknown_variables(field: str, tree: nodes.Template) -> list[Problem]:
    unknown = sorted(find_undeclared_variables(tree) - set(VARIABLES) - set(ENVIRONMENTS[field].globals))
    lines = {name.name: name.lineno for name in reversed(list(tree.find_all(nodes.Name)))}
    known = " and ".join(VARIABLES)
    return [Problem(field, lines.get(name), f"there is no variable {name}; there are {known}") for name in unknown]


def _unknown_fields(field: str, tree: nodes.Template) -> list[Problem]:
    """`user.nickname`, `user["nickname"]`: found on every branch, also on those that a sample would not take."""
    found: dict[str, int] = {}
    for node in tree.find_all((nodes.Getattr, nodes.Getitem)):
        if not isinstance(node.node, nodes.Name) or node.node.name != "user":  # type: ignore[attr-defined]  # both classes have it, their base has not
            continue
        name: Any = node.attr if isinstance(node, nodes.Getattr) else getattr(getattr(node, "arg", None), "value", None)
        if isinstance(name, str) and name not in USER_FIELDS:
            found.setdefault(name, node.lineno)
    known = ", ".join(USER_FIELDS)
    return [Problem(field, line, f"user has no {name}; it has {known}") for name, line in found.items()]


def _from_outside(field: str, tree: nodes.Template) -> list[Problem]:
    wanted = tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends))
    return [
        Problem(field, node.lineno, "a template stands alone: it cannot include, import or extend") for node in wanted
    ]
