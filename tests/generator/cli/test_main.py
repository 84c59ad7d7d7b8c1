import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from generator.cli import common, main
from generator.core.errors import UserError
from generator.core.problem import Problem, Severity
from tests.repositories import DEV, Repo, repository, run

COMMAND = Path(sys.executable).with_name("gen-env")
ENVIRONMENT = {**os.environ, "COLUMNS": "100"}


def started(*arguments, **options):
    return subprocess.run(
        [COMMAND, *map(str, arguments)],
        capture_output=True,
        check=False,
        env={**os.environ, **options},
    )


def test_help_lists_every_command_with_a_line():
    done = run("--help")
    assert done.code == 0 and done.stderr == ""
    for name, (_, text) in main._COMMANDS.items():
        assert f"  {name} " in done.stdout
        assert text.split()[0] in done.stdout


@pytest.mark.parametrize("name", list(main._COMMANDS))
def test_every_command_has_help_of_its_own(name):
    done = run(name, "--help")
    assert done.code == 0
    assert done.stdout.startswith(f"Usage: gen-env {name}")


def test_help_starts_without_the_heavy_libraries():
    script = (
        "import sys; from generator.cli.main import main; main(['--help'])\n"
        "heavy = {'pydantic', 'git', 'rich', 'kubernetes', 'helm_python', 'cookiecutter',"
        " 'requests', 'jsonschema', 'ruamel', 'cryptography', 'flask', 'yaml'}\n"
        "sys.exit(str(sorted(heavy & set(sys.modules)))) if heavy & set(sys.modules) else None"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_version():
    done = run("--version")
    assert done.code == 0 and done.stdout.startswith("gen-env ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["genrate"], "Did you mean generate?"),
        (["zzz"], "No such command"),
        (["generate", "--nosuch"], "--nosuch"),
        (["validate", "-o", "toml"], "toml"),
        (["new"], "NAME"),
        (["new", "x", "--tier", "prod"], "prod"),
        (["explain"], "ENV"),
        (["schema", "other"], "other"),
        (["--color", "blue", "validate"], "blue"),
    ],
)
def test_usage_errors_exit_with_2_and_say_so_on_stderr(arguments, words):
    done = run(*arguments)
    assert (done.code, done.stdout) == (2, "")
    assert words in done.stderr


def test_a_folder_that_is_not_there_is_the_users_error(tmp_path):
    done = run("-C", tmp_path / "nowhere", "generate")
    assert done.code == 1 and "is not a folder" in done.stderr


def test_our_bug_exits_with_3_and_keeps_values_out_of_the_report(monkeypatch, tmp_path):
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    canary = "-".join(("canary", "1188"))

    def broken(*arguments, **options):
        raise RuntimeError(canary)

    monkeypatch.setattr(main._group, "main", broken)
    done = run("generate")
    assert done.code == 3 and done.stdout == ""
    assert "this is a bug in gen-env" in done.stderr
    (log,) = tmp_path.glob("gen-env-*.log")
    assert str(log) in done.stderr
    text = log.read_text()
    assert "test_main.py" in text and "RuntimeError" in text
    assert canary not in done.stderr + text


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_an_interruption_exits_with_130(monkeypatch, error):
    def interrupted(*arguments, **options):
        raise error

    monkeypatch.setattr(main._group, "main", interrupted)
    assert run("generate").code == 130


def test_a_users_error_has_place_message_and_hint(monkeypatch):
    def wrong(*arguments, **options):
        raise UserError("it is wrong", path="a.yaml", line=3, hint="mend it")

    monkeypatch.setattr(main._group, "main", wrong)
    done = run("generate")
    assert done.code == 1
    assert done.stderr == "error: a.yaml:3: it is wrong\n  mend it\n"


def test_a_reader_that_goes_away_is_no_error():
    process = subprocess.Popen([COMMAND, "schema"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.readline()
    process.stdout.close()
    stderr = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 0
    assert stderr == b""


@pytest.mark.few(1)
@pytest.mark.parametrize("arguments", [("schema",), ("--help",)])
def test_nor_is_one_that_is_gone_before_the_first_word(arguments):
    reader, writer = os.pipe()
    with subprocess.Popen([COMMAND, *arguments], stdout=writer, stderr=subprocess.PIPE) as process:
        os.close(writer)
        os.close(reader)
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_output_survives_a_terminal_that_knows_no_unicode(tmp_path):
    repo = repository(tmp_path, dev=DEV + "lables: {}\n")
    done = started("-C", repo.root, "validate", PYTHONIOENCODING="latin-1")
    assert done.returncode == 1, done.stderr
    assert b"\\u2192 did you mean labels?" in done.stdout


def test_a_full_output_device_is_an_error_and_no_bug():
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full, as Linux has it")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([COMMAND, "schema"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1
    assert os.strerror(errno.ENOSPC).encode() in done.stderr


# Printing


def test_colours_only_where_they_are_wanted(tmp_path):
    repo = repository(tmp_path, dev=DEV)
    assert "\x1b[" not in repo.run("validate").stdout
    assert "\x1b[" in repo.run("--color", "always", "validate").stdout
    assert "\x1b[" not in repo.run("--color", "never", "validate").stdout


def test_machine_output_is_never_coloured(tmp_path):
    repo = repository(tmp_path, dev=DEV)
    repo.run("generate")
    assert repo.run("--color", "always", "validate", "-o", "json").json["environments"] == ["dev"]


def test_problems_are_printed_with_everything_they_have(capsys):
    one = Problem("a/b", Severity.ERROR, "what\nis wrong", "dev", "f.yaml", 3, "do this\nthen that")
    common.tell([one, one])
    assert capsys.readouterr().out.splitlines() == [
        "error   f.yaml:3  [a/b]",
        "        what",
        "        is wrong",
        "        → do this",
        "        → then that",
    ]
    common.tell([Problem("a/b", Severity.INFO, "x")], err=True)
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith("info    repository  [a/b]")


def test_counts_are_words():
    def some(*severities):
        return [Problem("a/b", severity, str(number)) for number, severity in enumerate(severities)]

    error, warning, info = Severity.ERROR, Severity.WARNING, Severity.INFO
    assert common.summary([]) == "no problems found"
    assert common.summary(some(error)) == "1 error"
    assert common.summary(some(error, error, warning, info, info)) == "2 errors, 1 warning, 2 notes"


def test_pairs_are_split_at_the_first_sign():
    assert common.pairs(["a=b=c", "d="]) == {"a": "b=c", "d": ""}
    for wrong in ("a", "=b"):
        with pytest.raises(click.UsageError):
            common.pairs([wrong])


def test_columns_line_up(capsys):
    common.columns([("a", "bbb"), ("cccc", "d")], ("X", "Y"))
    assert capsys.readouterr().out == "X     Y\na     bbb\ncccc  d\n"


def test_progress_is_only_for_people_and_on_stderr(tmp_path):
    repo = Repo(repository(tmp_path, dev=DEV).root)
    assert "checked dev" not in repo.run("validate").said
    assert "checked dev" in repo.run("-v", "validate").stderr
    assert "checked dev" not in repo.run("-v", "validate", "-o", "json").stdout


def test_the_prompt_is_not_part_of_the_result(monkeypatch):
    from generator.cli import new

    monkeypatch.setattr(sys, "stdin", io.StringIO("  answer \n"))
    assert new._ask("question", "") == "answer"
