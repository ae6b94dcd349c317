"""What a template may say: compiled and looked through before any message is written from it."""

from typing import Any

import msgspec
from jinja2 import Environment, TemplateError, nodes
from jinja2.exceptions import TemplateSyntaxError
from jinja2.meta import find_undeclared_variables

from tasks.mail.sandbox import ENVIRONMENTS

USER_FIELDS = ("id", "name", "email", "locale", "plan")
"""What `user` has in a template."""

VARIABLES = ("user", "unsubscribe_url")
"""What every template is given."""

FIELD_MAX = 500_000
"""Characters of one field: above what mail programs show uncut (Gmail clips at 102 KB), far below what hurts."""


class Source(msgspec.Struct, frozen=True):
    """The three texts of a template."""

    subject: str
    html: str
    text: str


class Problem(msgspec.Struct, frozen=True):
    """What is wrong with a template: in which field, on which of its lines (None where it has no place), and why."""

    field: str
    line: int | None
    reason: str

    @property
    def sentence(self) -> str:
        """For whoever wrote the template."""
        place = f"{self.field}, line {self.line}" if self.line else self.field
        return f"The template does not work ({place}): {self.reason.rstrip('.')}."


def problems(source: Source) -> list[Problem]:
    """Everything that can be found without rendering: syntax, unknown variables, unknown fields of the user, size."""
    found = []
    for field, environment in ENVIRONMENTS.items():
        text = getattr(source, field)
        if not text.strip():
            found.append(Problem(field, None, f"{field} is empty"))
        elif len(text) > FIELD_MAX:
            found.append(Problem(field, None, f"{field} has {len(text):,} characters; {FIELD_MAX:,} are the limit"))
        else:
            found += _in_field(field, text, environment)
    return found


def _in_field(field: str, text: str, environment: Environment) -> list[Problem]:
    try:
        tree = environment.parse(text)
        environment.compile(tree)
    except TemplateSyntaxError as error:
        return [Problem(field, error.lineno, error.message or "it cannot be read")]
    except (TemplateError, RecursionError, SyntaxError, MemoryError) as error:
        return [Problem(field, None, str(error) or type(error).__name__)]
    return [*_unknown_variables(field, tree), *_unknown_fields(field, tree), *_from_outside(field, tree)]


def _unknown_variables(field: str, tree: nodes.Template) -> list[Problem]:
    unknown = sorted(find_undeclared_variables(tree) - set(VARIABLES) - set(ENVIRONMENTS[field].globals))
    lines = {name.name: name.lineno for name in reversed(list(tree.find_all(nodes.Name)))}
    known = " and ".join(VARIABLES)
    return [Problem(field, lines.get(name), f"there is no variable {name}; there are {known}") for name in unknown]


def _unknown_fields(field: str, tree: nodes.Template) -> list[Problem]:
    """`user.nickname`, `user["nickname"]`: found on every branch, also on those that a sample would not take."""
    found: dict[str, int] = {}
    for node in tree.find_all((nodes.Getattr, nodes.Getitem)):
        if not isinstance(node.node, nodes.Name) or node.node.name != "user":  # type: ignore[attr-defined]
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
