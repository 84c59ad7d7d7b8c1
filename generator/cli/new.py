"""`gen-env new`."""

from __future__ import annotations

import click

from generator.cli import common, complete


@click.command(name="new")
@click.argument("name")
@click.option("--team", help="Team; the environment is then TEAM/NAME.")
@click.option(
    "--tier",
    type=click.Choice(["development", "staging", "production"]),
    help="Tier (default: by the name, production where it does not tell).",
)
@click.option("--cluster", help="Cluster in gen-env.yaml.")
@click.option(
    "--from",
    "source",
    metavar="ENV",
    shell_complete=complete.environments,
    help="Copy another environment.",
)
@click.option("--set", "fields", multiple=True, metavar="KEY=VALUE", help="Set a field.")
@click.option("--branch", help="Branch for the commit (default: new/NAME).")
@click.option(
    "--no-input", is_flag=True, help="Do not prompt; a field without a default is an error."
)
@click.option("--no-commit", is_flag=True, help="Write the files without a commit.")
def command(
    name: str,
    team: str | None,
    tier: str | None,
    cluster: str | None,
    source: str | None,
    fields: tuple[str, ...],
    branch: str | None,
    no_input: bool,
    no_commit: bool,
) -> int:
    """Scaffold the environment NAME, generate it, and commit that on branch new/NAME.

    Prompts for what the tier and the cluster do not tell; a wrong answer is asked for again, none
    leaves a field out. Policies and monitors are written where the catalogue says that the cluster
    has them. From another new/... branch it begins at the default branch. Other changes in the work
    tree are left alone.
    """
    from generator.actions import new
    from generator.actions.lifecycle import new_questions
    from generator.core.files import WorkTree
    from generator.pipeline import toolchain

    root = common.root()
    full = f"{team}/{name}" if team else name
    options = new.Options(full, tier, cluster, source, common.pairs(fields))
    asker = _refuse if no_input else _ask
    files = WorkTree(root)
    charts, renderer = toolchain.charts(files, root), toolchain.lazy(files)
    try:
        base = "" if no_commit else new.start(root)
        creation = new.prepare(root, options, asker, charts, renderer, base)
    except new_questions.Unanswered as error:
        raise _missing("--no-input", "; ".join(error.questions)) from None
    common.tell(creation.problems, err=True)
    if not new.acceptable(creation):
        common.say("nothing was written")
        return 1
    if no_commit:
        new.write(root, creation)
    else:
        target = branch or f"new/{full}"
        sha = new.commit(root, creation, target, base)
        common.say(f"committed {sha[:12]} on {target}" + (f", from {base[:12]}" if base else ""))
    for path in creation.plan.paths:
        click.echo(path)
    for note in creation.notes:
        common.say(note)
    common.say("left to do:")
    for number, step in enumerate(creation.left, start=1):
        common.say(f"{number}. {step}")
    return 0


def _ask(question: str, default: str) -> str:
    try:
        answer: str = click.prompt(question, default=default or None, err=True)
    except click.Abort as error:
        if not isinstance(error.__context__, EOFError):
            raise
        click.echo(err=True)
        raise _missing("end of standard input", question.rpartition("\n")[2]) from None
    return answer.strip()


def _missing(why: str, asked: str) -> click.UsageError:
    option = "--cluster" if asked.startswith("cluster (") else "--set"
    return click.UsageError(f"{why}: no value for {asked}; give it with {option}")


def _refuse(question: str, default: str) -> str:
    from generator.actions.lifecycle.new_questions import Unanswered

    if default:
        return default
    raise Unanswered(question)
