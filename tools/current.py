"""Are README, docs and samples what the code gives today? `--write` makes them so."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tools import commands, compatibility, fields, rules, statements, variables

ROOT = Path(__file__).resolve().parent.parent
COMMAND = Path(sys.executable).with_name("gen-env")
BLOCK = re.compile(r"(<!-- (?P<name>[a-z-]+): generated -->\n)(?P<text>.*?)(<!-- end -->)", re.S)


def main():
    """Compare each generated part with its source; exit 1 and name what is out of date."""
    write = "--write" in sys.argv
    stale = []
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        before = path.read_text(encoding="utf-8")
        after = BLOCK.sub(_block, before)
        if after != before:
            stale.append(path.relative_to(ROOT))
            if write:
                path.write_text(after, encoding="utf-8")
    stale += _schema_digests(write)
    stale += _samples(write)
    if stale and not write:
        names = "\n".join(f"  {path}" for path in stale)
        sys.exit(f"out of date:\n{names}\nrun: make golden")


def _block(match):
    return f"{match[1]}{SOURCES[match['name']]()}{match[4]}"


def _help():
    done = subprocess.run(
        [COMMAND, "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "90"},
    )
    return f"```text\n{done.stdout}```\n"


def _rules():
    return rules.by_area(rules.of_validation(rules.everything()))


def _impact_rules():
    return rules.of_area(rules.of_impact(rules.everything()))


def _command_rules():
    return rules.by_command(rules.of_commands(rules.everything()))


def _service_settings():
    """Every setting of the service, part by part, with its default."""
    from service.settings.schema import Settings

    rows = ["| setting | default | meaning |\n| --- | --- | --- |", *_settings_of(Settings, "")]
    return "\n".join(rows) + "\n"


def _settings_of(model, prefix):
    from generator.redaction.secret import Secret

    for field in model.model_fields.values():
        name = f"{prefix}{field.alias}"
        parts = [part for part in _types_in(field.annotation) if hasattr(part, "model_fields")]
        many = "[]" if str(field.annotation).startswith(("list", "typing.List")) else ""
        secret = Secret in _types_in(field.annotation)
        text = field.description + (" (`file` or `env`)" if secret else "")
        yield f"| `{name}{many}` | {_default_of(field)} | {text} |"
        for part in parts:
            yield from _settings_of(part, f"{name}{many}.")


def _types_in(annotation):
    from typing import get_args

    inner = get_args(annotation)
    return [found for part in inner for found in _types_in(part)] if inner else [annotation]


def _default_of(field):
    if field.is_required():
        return "required"
    plain = isinstance(field.default, str | int | float | bool | Path) and field.default != ""
    return f"`{str(field.default).lower()}`" if plain else ""


def _masks():
    """Classes of secrets and of what stays readable, with how many examples the tests hold."""
    from collections import Counter

    sys.path.insert(0, str(ROOT))
    from tests.generator.redaction import corpus, neighbours

    rows = ["| class | what is masked | examples |\n| --- | --- | --- |"]
    counts = Counter(example.kind for example in corpus.examples())
    rows += [f"| {kind} | {text} | {counts.pop(kind)} |" for kind, text in corpus.KINDS.items()]
    assert not counts, "a class without a description"
    rows.append("\n| stays readable | examples |\n| --- | --- |")
    stays = Counter(kind for kind, _ in neighbours.neighbours())
    rows += [f"| {kind} | {number} |" for kind, number in stays.items()]
    return "\n".join(rows) + "\n"


def _token_formats():
    """Vendors whose published formats are known by their shape."""
    from generator.redaction.tokens import FORMATS, INNER

    vendors = sorted({item.vendor for item in (*FORMATS, *INNER)}, key=str.lower)
    return "; ".join(vendors) + ".\n"


def _conditions():
    """What makes each condition of a verification met, waiting and failed."""
    from generator.verify.conditions import ALL

    rows = ["| condition | met | waiting | failed |\n| --- | --- | --- | --- |"]
    rows += [
        f"| `{it.name}` | {it.met} | {it.waiting or 'never'} | {it.failed or 'never'} |"
        for it in ALL
    ]
    return "\n".join(rows) + "\n"


def _charts():
    """The versions of the chart that are known without an archive."""
    from generator.release import chart_matrix

    rows = ["| chart | its Airflow | runs Airflow | level |\n| --- | --- | --- | --- |"]
    rows += [f"| {' | '.join(row)} |" for row in chart_matrix.releases()]
    return "\n".join(rows) + "\n"


SOURCES = {
    "charts": _charts,
    "conditions": _conditions,
    "masks": _masks,
    "token-formats": _token_formats,
    "help": _help,
    "rules": _rules,
    "impact-rules": _impact_rules,
    "statements": statements.statements,
    "command-rules": _command_rules,
    "fields": fields.chart_keys,
    "definition-fields": fields.definition,
    "repository-fields": fields.repository,
    "tier-defaults": fields.by_tier,
    "service-settings": _service_settings,
    "commands": commands.generator,
    "service-commands": commands.service,
    "variables": variables.command,
    "template-variables": variables.templates,
    "service-variables": variables.service,
    "programs": compatibility.programs,
    "apis": compatibility.apis,
}


def _schema_digests(write):
    """By which a schema in a repository is known to be right without making it."""
    from generator.tree import editor_schemas, schema_digests

    place = Path(schema_digests.__file__)
    digests = {
        kind: editor_schemas.digest(editor_schemas.text(kind).encode())
        for kind in editor_schemas.KINDS
    }
    rows = "".join(f'    "{kind}": "{digest}",\n' for kind, digest in digests.items())
    text = (
        f'"""What `make golden` writes: the SHA-256 of each schema."""\n\nDIGESTS = {{\n{rows}}}\n'
    )
    if place.read_text(encoding="utf-8") == text:
        return []
    if write:
        place.write_text(text, encoding="utf-8")
    return [place.relative_to(ROOT)]


def _samples(write):
    """The trees below environments/."""
    arguments = ["generate"] if write else ["generate", "--check"]
    done = subprocess.run(
        [COMMAND, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(done.stdout, done.stderr, sep="", file=sys.stderr)
    return [Path("environments")] if done.returncode else []


if __name__ == "__main__":
    main()
