"""Pull requests that want more than to be read: nothing runs, nothing is fetched, nothing leaks."""

import dataclasses
import itertools
import subprocess

import pytest
from pytest import param

from service.check.reporter import Reporter
from service.check.run import UnexpectedFault, check
from service.model.job import Grants, State
from tests.effort import marks, pick
from tests.fakes import forge as fake_forge
from tests.repositories import DEV as DEV_TEXT
from tests.repositories import SETTINGS
from tests.service.check.test_run import AUTH, SMALL
from tests.service.check.world import DEV, problems, report, rules

pytestmark = pytest.mark.thorough

thorough = pytest.mark.thorough
CANARY = "canary-4f1d9c2ab7"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(12)
)


def opened(world, **more):
    world.commit("Hostile")
    return world.open(**more)


def alive(world):
    """The next request is still answered."""
    world.work.git("switch", "-q", "main")
    number = world.change(DEV, *SMALL, branch="next")
    assert world.check(number).state is State.SUCCESS


@pytest.mark.always
@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("environments/dev/environment.yaml", "/proc/self/environ"),
        ("gen-env.yaml", "/etc/passwd"),
        param("environments/dev/generated/values.yaml", "/etc/passwd", marks=thorough),
        param("environments/dev/secrets/x.yaml", "../../../../../etc/shadow", marks=thorough),
        param("environments/other", "../.git", marks=thorough),
    ],
)
def test_links_are_findings_and_never_followed(world, path, target):
    world.branch("feature")
    place = world.work.root / path
    place.unlink(missing_ok=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(target)
    world.work.edit("environments/staging/environment.yaml", "tag: 3.2.2-r1", "tag: 3.2.2-r2")
    world.options = {"push_back": False}
    outcome = world.check(opened(world))
    assert outcome.state is State.FAILURE
    assert rules(outcome) & {"tree/symlink", "tree/unreadable", "settings/missing"}
    assert "root:" not in world.texts() + outcome.json_report + outcome.report_html


def test_submodules_and_huge_files_are_findings(world):
    world.branch("feature")
    world.work.write("environments/dev/big.bin", b"x" * (2 << 20))
    world.work.edit(DEV, *SMALL)
    world.work.git("add", "-A")
    head = world.work.git("rev-parse", "HEAD")
    world.work.git("update-index", "--add", "--cacheinfo", f"160000,{head},environments/dev/sub")
    world.work.git("commit", "-qm", "x")
    outcome = world.check(world.open())
    assert outcome.state is State.FAILURE
    told = [p for p in report(outcome)["problems"] if p["rule"] == "tree/unreadable"]
    assert [item["path"] for item in told] == ["environments/dev/big.bin", "environments/dev/sub"]
    assert {item["severity"] for item in told} == {"error"}


def test_a_bug_in_comparing_an_environment_is_a_finding_of_that_one(world, monkeypatch):
    def broken(sides, names, *rest):
        raise TypeError(CANARY)

    monkeypatch.setattr("service.check.assess.review.review", broken)
    outcome = world.check(world.change(DEV, *SMALL))
    assert outcome.state is State.FAILURE and "check/bug" in rules(outcome)
    assert CANARY not in outcome.json_report


def _tree(world, kind, oid, name):
    entry = kind + b" " + oid.encode() + b"\t" + name + b"\0"
    command = ["git", "-C", world.work.root, "mktree", "-z"]
    return (
        subprocess.run(command, input=entry, capture_output=True, check=True)
        .stdout.decode()
        .strip()
    )


@pytest.mark.few(1)
@pytest.mark.parametrize(
    "name",
    [
        b".git",
        "a\u202eb".encode(),
        *(param(name, marks=thorough) for name in (b"..", b"x\ny", b"--upload-pack=x")),
    ],
)
def test_odd_names_do_no_harm(world, name):
    world.branch("feature")
    made = _tree(world, b"100644 blob", world.work.git("hash-object", "-w", "/dev/null"), name)
    for folder in (b"dev", b"environments"):
        made = _tree(world, b"040000 tree", made, folder)
    sha = world.work.git("commit-tree", made, "-p", "HEAD", "-m", "odd")
    world.work.git("push", "-q", str(world.bare), f"{sha}:refs/heads/feature")
    number = world.store.add_pull(head="feature", sha=sha)
    world.follow()
    outcome = world.check(number)
    assert outcome.state in (State.FAILURE, State.ERROR)
    assert "\u202e" not in world.texts() + outcome.report_html
    alive(world)


BOMBS = {
    "aliases": BOMB,
    "depth": "[" * 300_000,
    "maps": "{a: " * 50_000,
    "size": "a: " + "x" * (1 << 20),
    "cycle": "&a [*a]",
    "nul": "\0",
    "tag": "a: !!python/object/apply:os.system [id]",
}
FOLDER = "environments/dev"
ELSEWHERE = ("gen-env.yaml", f"{FOLDER}/gen-env.lock", f"{FOLDER}/secrets/x.yaml",
             f"{FOLDER}/generated/application.yaml")  # fmt: skip


PAIRS = [*((DEV, bomb) for bomb in BOMBS), *itertools.product(ELSEWHERE, ("aliases", "depth"))]
OFTEN = [(DEV, "aliases"), (DEV, "depth"), (DEV, "cycle"), (ELSEWHERE[0], "aliases")]


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("path", "bomb"), [param(*pair, marks=marks(pair, test=OFTEN)) for pair in PAIRS]
)
def test_yaml_that_explodes_is_a_finding(world, path, bomb):
    text = BOMBS[bomb]
    world.branch("feature")
    world.work.write(path, text)
    world.options = {"push_back": False}
    outcome = world.check(opened(world))
    assert outcome.state is State.FAILURE, outcome.summary


@pytest.mark.few(1)
@pytest.mark.parametrize(
    "text",
    [
        "spec: {sources: 7}\n",
        "- 1\n",
        param("spec: text\n", marks=thorough),
        param("spec: [1]\n", marks=thorough),
        param("spec: {destination: x}\n", marks=thorough),
    ],
)
def test_generated_files_of_odd_shapes_beside_a_broken_definition(world, text):
    world.branch("feature")
    world.work.write(DEV, f"{DEV_TEXT}unknown: 1\n")
    world.work.write("environments/dev/generated/application.yaml", text)
    outcome = world.check(opened(world))
    assert outcome.state is State.FAILURE
    assert world.status(world.head("feature"))["state"] == "failure"
    assert "definition/schema" in rules(outcome)


def test_settings_in_the_head_are_not_followed(world):
    world.branch("feature")
    evil = SETTINGS.replace("10.0.0.1", "10.6.6.6").replace(
        "clusters:", "helm: binary\nchart: {url: 'http://127.0.0.1:9/evil'}\nclusters:"
    )
    world.work.write("gen-env.yaml", evil)
    world.work.edit(DEV, *SMALL)
    number = opened(world)
    before = world.head("feature")
    outcome = world.check(number)
    assert ("settings/after-merge", "info") in problems(outcome)
    assert world.head("feature") == before, "no push beside changed settings"
    assert "10.6.6.6" not in report(outcome)["check"]["patch"]
    assert "take effect after the merge" in world.comment(number)


def test_settings_alone_are_told_to_take_effect_later(world):
    world.branch("feature")
    world.work.write("gen-env.yaml", SETTINGS.replace("10.0.0.1", "10.6.6.6"))
    number = opened(world)
    outcome = world.check(number)
    assert outcome.state is State.SUCCESS, outcome.summary
    assert "clusters in gen-env.yaml take effect after the merge" in world.comment(number)


def test_markdown_in_a_diff_stays_text(world):
    evil = "x\n```\n@everyone <img src=https://evil.example.com/p.png> [x](javascript:alert)\n```"
    world.branch("feature")
    block = "\n".join(f"        {line}" for line in evil.splitlines())
    world.work.edit(DEV, "{version: 3.2.2}", f"\n  version: 3.2.2\n  env:\n    TEXT: |\n{block}")
    number = opened(world)
    outcome = world.check(number)
    comment = world.comment(number)
    inside = 0
    for line in comment.splitlines():
        if line.startswith("````"):
            inside = 1 - inside
        assert inside or "@everyone" not in line
    assert "````diff" in comment or "@everyone" not in comment
    assert "<img src" not in outcome.report_html


@pytest.mark.always
def test_nothing_that_is_secret_leaves(world, monkeypatch):
    monkeypatch.setenv("GEN_ENV_CANARY", CANARY)
    world.branch("feature")
    url = f"postgresql://airflow:{CANARY}@db.example.com/airflow"
    world.work.edit(
        DEV, AUTH, f"{AUTH}\nvalues: {{data: {{metadataConnection: {{pass: {CANARY}}}}}}}"
    )
    world.work.edit(DEV, "{version: 3.2.2}", f"{{version: 3.2.2, env: {{MY_URL: '{url}'}}}}")
    world.options = {"push_back": False}
    outcome = world.check(opened(world))
    patch = report(outcome)["check"]["patch"]
    for text in (outcome.report_html, outcome.summary, outcome.json_report.replace(patch, "")):
        assert fake_forge.TOKEN not in text
    assert CANARY not in outcome.report_html + outcome.summary
    assert fake_forge.TOKEN not in world.texts()
    kept = [p for p in world.data.rglob("*") if p.is_file()]
    assert kept and not any(fake_forge.TOKEN.encode() in p.read_bytes() for p in kept)


def test_a_bug_is_told_by_its_place_and_never_by_its_words(world):
    class Broken:
        def __init__(self, files):
            raise KeyError(f"token {CANARY}")

    number = world.change(DEV, *SMALL)
    tools = dataclasses.replace(world.tools, renderer=Broken)
    with pytest.raises(UnexpectedFault) as caught:
        check(world.request(number), tools)
    assert "KeyError at check/test_hostile.py:" in str(caught.value)
    assert CANARY not in str(caught.value) + world.texts()
    assert caught.value.__suppress_context__
    assert world.status(world.head("feature"))["state"] == "error"


def test_a_marker_belongs_to_one_request_and_one_key(world):
    number = world.change(DEV, *SMALL)
    one = Reporter(world.request(number), b"key").marker
    assert one != Reporter(world.request(number), b"other").marker
    assert one != Reporter(dataclasses.replace(world.request(number), number=7), b"key").marker
    assert one == Reporter(world.request(number), b"key").marker


@pytest.mark.always
def test_a_fork_is_never_rendered_without_leave(world):
    class Forbidden:
        def __init__(self, files):
            pass

        def engine_version(self):
            raise AssertionError("nothing is to be rendered")

        def render(self, request):
            raise AssertionError("nothing is to be rendered")

    world.branch("theirs")
    template = pick('fail "no"', 'repeat 900000000 "x"')
    world.work.edit(DEV, AUTH, f"{AUTH}\nvalues: {{extraEnv: '{{{{ {template} }}}}'}}")
    world.commit(generate=True)
    number = world.open(fork=True)
    tools = dataclasses.replace(world.tools, renderer=Forbidden)
    outcome = check(world.request(number), tools)
    assert outcome.state is State.NEUTRAL, outcome.summary
    outcome = world.check(number, grants=Grants(trusted_by="alice"))
    assert outcome.state is State.FAILURE
