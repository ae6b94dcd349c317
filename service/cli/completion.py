"""`offload completion SHELL`: the script that makes a shell complete commands, options and queues."""

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of SHELL, to be read at its start. Example: offload completion bash

    Put eval "$(offload completion bash)" into .bashrc, or the same with zsh into .zshrc. fish reads a file:
    offload completion fish > ~/.config/fish/completions/offload.fish
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise click.ClickException(f"There is no completion for {shell}.")
    script = kind(context.find_root().command, {}, "offload", "_OFFLOAD_COMPLETE")
    # Not `source()`: for bash that starts one, to see how old it is, and fails where there is none.
    click.echo(script.source_template % script.source_vars())
