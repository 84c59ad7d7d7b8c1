"""The help of every command, as docs/commands.md lists it."""

import click


def generator():
    """`gen-env` and its commands."""
    from generator.cli.main import _group

    return _pages(_group, "gen-env")


def service():
    """`gen-env-service` and its commands."""
    from service.cli.main import main

    return _pages(main, "gen-env-service")


def _pages(group, name):
    return "\n".join(
        _sections(group, click.Context(group, info_name=name, **group.context_settings | _WIDTH))
    )


_WIDTH = {"terminal_width": 100, "max_content_width": 100}


def _sections(command, context):
    """A heading and the help, then those of the commands below."""
    with context:
        yield f"## {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n"
        for name in command.list_commands(context) if isinstance(command, click.Group) else ():
            below = command.get_command(context, name)
            settings = below.context_settings | _WIDTH
            inner = click.Context(below, info_name=name, parent=context, **settings)
            yield from _sections(below, inner)
