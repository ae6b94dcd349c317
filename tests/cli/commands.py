"""The commands that there are."""

import click


def commands(group: click.Group, path: str = "") -> dict[str, click.Command]:
    """Every command with its whole name."""
    context, found = click.Context(group), {}
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            found |= commands(command, f"{path}{name} ")
        else:
            found[f"{path}{name}"] = command
    return found
