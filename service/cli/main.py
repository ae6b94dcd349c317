"""The `offload` command line."""

import ast
import inspect
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import click


class Commands(click.Group):
    """The command line. A command's module is loaded when the command is asked for; to list them all, none is."""

    MODULES: ClassVar[dict[str, str]] = {
        "up": "installation", "ocr": "installation", "health": "installation", "seed": "installation",
        "backup": "installation", "restore": "installation",
        "keys": "keys", "users": "users",
        "pause": "queues", "resume": "queues", "drain": "queues", "worker": "worker", "new": "new",
        "jobs": "jobs", "retry-failed": "jobs", "cancel": "jobs", "tail": "tail", "workers": "workers",
        "schedules": "schedules", "completion": "completion", "relay": "relay", "report": "report",
        "owners": "owners", "erase": "erase", "ingest": "ingest", "watch": "watch", "top": "top",
        "encryption-key": "encryption", "rewrap": "encryption", "deploy-mark": "deploy_mark",
        "capsule": "capsule",
    }  # fmt: skip
    """Module of each command."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self.MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.MODULES:
            return None
        command: click.Command = getattr(import_module(f"service.cli.{self.MODULES[cmd_name]}"), _function(cmd_name))
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Raises ClickException, a sentence, where a part of the installation does not answer."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            # Not above: it needs SQLAlchemy.
            from service.cli.away import away_sentence

            sentence = away_sentence(error)
            if sentence is None:
                raise
            raise click.ClickException(f"{sentence}.") from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of all commands: of each what its function says of itself, read from the source."""
        described = {name: click.Command(name, help=_description(name)) for name in self.MODULES}
        click.Group(commands=described).format_commands(ctx, formatter)


def _function(command: str) -> str:
    return command.replace("-", "_")


def _description(command: str) -> str:
    docstrings = _docstrings(Path(__file__).with_name(f"{Commands.MODULES[command]}.py"))
    return docstrings[_function(command)]


@cache
def _docstrings(module: Path) -> dict[str, str]:
    """Docstring of each function of a module, as click takes it."""
    functions = [node for node in ast.parse(module.read_bytes()).body if isinstance(node, ast.FunctionDef)]
    return {node.name: inspect.cleandoc(ast.get_docstring(node) or "") for node in functions}


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="offload", prog_name="offload")
def main() -> None:
    """Offload: background jobs for documents. Configured by OFFLOAD_ variables; see the README."""
    # Before settings are read: packages may add queues. What is wrong with one is told by the processes that use it.
    from tasks.sdk.packages import load_packages

    load_packages(alone=True)


if __name__ == "__main__":
    main()
