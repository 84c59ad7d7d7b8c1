"""`gen-env completion`."""

from __future__ import annotations

import click

_SHELLS = ("bash", "zsh", "fish")


@click.command(name="completion")
@click.argument("shell", type=click.Choice(_SHELLS))
def command(shell: str) -> int:
    """Print the completion script of SHELL: commands, options, environments, fields, secrets.

    bash: add `source <(gen-env completion bash)` to ~/.bashrc. zsh: the same in ~/.zshrc, after
    compinit. fish: gen-env completion fish > ~/.config/fish/completions/gen-env.fish
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    root = click.get_current_context().find_root().command
    script = kind(root, {}, "gen-env", "_GEN_ENV_COMPLETE")
    # click's own `source` starts bash to look at its version.
    click.echo(script.source_template % script.source_vars())
    return 0
