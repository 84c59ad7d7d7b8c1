"""What a pull request brings is neither run, nor fetched, nor told: traps that would notice."""

import contextlib
import re
import shutil
import socket
import subprocess
import threading

import pytest
from markdown_it import MarkdownIt

from service.model.job import Grants, State
from tests.fakes import forge as fake_forge
from tests.repositories import SETTINGS
from tests.service.check.test_hostile import alive
from tests.service.check.test_run import SMALL
from tests.service.check.world import DEV, report, rules
from tests.standin_chart import CHART

pytestmark = pytest.mark.thorough

CANARY = "canary-9d27e4b1c6"
SHOWN = MarkdownIt("commonmark").enable(["table"])


@contextlib.contextmanager
def trap():
    """An address on loopback that counts who comes."""
    callers = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        ended = threading.Event()

        def wait():
            while not ended.is_set():
                with contextlib.suppress(TimeoutError):
                    connection, address = server.accept()
                    callers.append(address)
                    connection.close()

        thread = threading.Thread(target=wait)
        thread.start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}", callers
        finally:
            ended.set()
            thread.join()


def told(outcome, world):
    """Everything that people get to read."""
    return outcome.summary + outcome.json_report + outcome.report_html + world.texts()


@pytest.mark.always
def test_a_trap_notices():
    with trap() as (address, callers):
        host, _, port = address.partition(":")
        socket.create_connection((host, int(port))).close()
        while not callers:
            pass


# Nothing is run.


@pytest.fixture
def armed(tmp_path, monkeypatch):
    """A user's git settings whose every driver leaves a mark."""
    mark = tmp_path / "mark"
    settings = tmp_path / "gitconfig"
    touch = f"touch {mark}"
    settings.write_text(
        f'[filter "evil"]\n\tsmudge = {touch} && cat\n\tclean = {touch} && cat\n'
        f'[diff "evil"]\n\ttextconv = {touch} && cat\n\tcommand = {touch}\n'
        f'[merge "evil"]\n\tdriver = {touch}\n'
        f"[core]\n\tfsmonitor = {touch}\n\thooksPath = {tmp_path}\n\tsshCommand = {touch}\n"
        f'[credential]\n\thelper = "!{touch}"\n[alias]\n\tfetch = "!{touch}"\n'
    )

    def arm():
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
        monkeypatch.setenv("GIT_SSH_COMMAND", touch)
        monkeypatch.setenv("GIT_ASKPASS", touch)
        monkeypatch.setenv("GIT_EXTERNAL_DIFF", touch)

    return arm, mark


def attributes(world):
    drivers = "* filter=evil diff=evil merge=evil text eol=crlf ident export-subst\n"
    world.work.write(".gitattributes", f"{drivers}generated export-ignore\n")
    world.work.write(f"{DEV.rpartition('/')[0]}/.gitattributes", drivers)


def test_filters_and_drivers_of_git_are_not_run(world, armed):
    arm, mark = armed
    # A tree that plain git would have to merge, with the driver that the attributes name.
    attributes(world)
    world.commit()
    world.merge()
    number = world.change(DEV, *SMALL, generate=False)
    world.work.git("switch", "-q", "main")
    world.work.edit(DEV, "kind: Environment", "kind: Environment  # of the team")
    world.commit()
    world.merge()
    arm()
    outcome = world.check(number)
    assert not mark.exists()
    # Argo CD's git would run what its own settings name for them.
    assert outcome.state is State.FAILURE and rules(outcome) == {"tree/foreign"}
    assert "500" in world.comment(number)
    # The trap is one: git as a user has it runs what the attributes name.
    archive = ["git", f"--git-dir={world.bare}", "archive", "main"]
    subprocess.run(archive, capture_output=True, check=False)
    assert mark.exists()


def test_hooks_and_settings_in_a_tree_are_files_and_no_more(world, tmp_path):
    mark = tmp_path / "mark"
    world.branch("feature")
    for path in (".githooks/post-checkout", "hooks/post-update", "Makefile", ".envrc",
                 "environments/dev/Makefile", "plugins/x/plugin.yaml"):  # fmt: skip
        world.work.write(path, f"#!/bin/sh\ntouch {mark}\n").chmod(0o755)
    world.work.write("config", f"[core]\n\thooksPath = hooks\n\tfsmonitor = touch {mark}\n")
    world.work.edit(DEV, *SMALL)
    world.commit(generate=True)
    outcome = world.check(world.open())
    assert outcome.state is not State.ERROR
    assert not mark.exists()
    alive(world)


# Nothing is fetched.


@pytest.mark.always
@pytest.mark.thorough
def test_addresses_in_a_head_are_not_asked(world, monkeypatch):
    monkeypatch.delenv("GEN_ENV_OFFLINE")
    with trap() as (address, callers):
        world.branch("feature")
        world.work.write(
            "gen-env.yaml",
            SETTINGS.replace("https://10.0.0.1:6443", f"https://{address}")
            + f"chart: {{source: repository, url: 'http://{address}/charts'}}\n",
        )
        world.work.edit(DEV, "dags: {image: {}}",
            f"dags: {{gitSync: {{repository: 'http://{address}/dags.git'}}}}\n"
            f"logging: {{remote: {{type: s3, url: 's3://{address}/logs'}}}}\n"
            f"image: {{repository: {address}/airflow, tag: x}}\n"
            f"values: {{extraEnv: 'http://{address}/values.yaml'}}")  # fmt: skip
        world.work.write("environments/dev/generated/kustomization.yaml",
            f"resources: ['http://{address}/x.yaml', 'github.com/x/y?ref=z']\n")  # fmt: skip
        world.work.write(
            ".gitmodules", f'[submodule "x"]\n\tpath = x\n\turl = http://{address}/x\n'
        )
        world.commit("Addresses everywhere")
        outcome = world.check(world.open())
        assert outcome.state is State.FAILURE, outcome.summary
        assert callers == []
    alive(world)


@pytest.mark.thorough
def test_another_version_of_the_chart_comes_from_where_the_base_says(world, monkeypatch):
    monkeypatch.delenv("GEN_ENV_OFFLINE")
    with trap() as (base, asked), trap() as (head, callers):
        place = f"chart: {{source: repository, url: 'https://{base}/charts'}}\n"
        world.work.write("gen-env.yaml", SETTINGS + place)
        world.commit(generate=True)
        world.merge()
        world.branch("feature")
        world.work.write("gen-env.yaml", SETTINGS + place.replace(base, head))
        world.work.edit(DEV, "chart: {version: 1.22.0}", "chart: {version: 1.99.0}")
        world.commit()
        outcome = world.check(world.open())
        # What the base names was merged, so it is asked for the version; the head's never is.
        assert callers == [] and asked
    assert outcome.state in (State.ERROR, State.FAILURE)


VENDORED = SETTINGS + "chart: {source: vendored, path: charts/airflow}\n"
TEMPLATE = "charts/airflow/templates/zz-evil.yaml"
EVIL = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: evil}
data:
  file: {{ .Files.Get "/etc/passwd" | quote }}
  outside: {{ .Files.Get "../../../../../../etc/passwd" | quote }}
  glob: {{ (.Files.Glob "/etc/*").AsConfig | quote }}
  host: {{ getHostByName "localhost" | quote }}
  secret: {{ lookup "v1" "Secret" "" "" | toJson | quote }}
"""


def locked_anew(world):
    """Commit with the digest of the chart as it is now."""
    for lock in world.work.root.glob("environments/*/gen-env.lock"):
        lock.write_text(re.sub(r"digest: .*", "digest: null", lock.read_text()))
    world.commit(generate=True)


@pytest.fixture
def vendored(world, monkeypatch, tmp_path):
    """A base with a chart of its own, which a pull request may change."""
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(tmp_path / "empty"))
    monkeypatch.setenv("CANARY", CANARY)
    shutil.copytree(CHART, world.work.root / "charts/airflow")
    world.work.write("gen-env.yaml", VENDORED)
    locked_anew(world)
    world.merge()
    world.branch("feature")
    world.options = {"push_back": False}
    return world


@pytest.mark.always
def test_a_vendored_chart_reads_neither_files_nor_names_nor_clusters(vendored):
    vendored.work.write(TEMPLATE, EVIL)
    vendored.work.edit(DEV, *SMALL)
    locked_anew(vendored)
    outcome = vendored.check(vendored.open())
    [shown] = [e for e in report(outcome)["environments"] if e["name"] == "dev"]
    assert shown["rendered"], shown["problems"]
    assert "evil" in {change["name"] for change in shown["changes"]}
    said = told(outcome, vendored)
    assert "root:" not in said and CANARY not in said
    assert "127.0.0.1" not in re.sub(r"http://127\.0\.0\.1:\d+", "", said)


@pytest.mark.thorough
def test_a_vendored_chart_that_changed_beside_an_emptied_lock_is_rendered_as_it_is(vendored):
    vendored.work.write(TEMPLATE, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: another}\n")
    for lock in vendored.work.root.glob("environments/*/gen-env.lock"):
        lock.write_text(re.sub(r"digest: .*", "digest: null", lock.read_text()))
    vendored.commit()
    number = vendored.open()
    first, again = vendored.check(number), vendored.check(number)
    [shown] = [e for e in report(first)["environments"] if e["name"] == "dev"]
    assert ("another", "added") in {(item["name"], item["action"]) for item in shown["changes"]}
    assert "gen-env-charts-" not in told(first, vendored)
    assert first.json_report == again.json_report


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("path", "target"),
    [
        (TEMPLATE, "/proc/self/environ"),
        ("charts/airflow/values.yaml", "/etc/passwd"),
        ("charts/airflow/files", "../../.git"),
    ],
)
def test_links_out_of_a_vendored_chart_are_not_followed(vendored, path, target):
    place = vendored.work.root / path
    if place.is_dir():
        shutil.rmtree(place)
    place.unlink(missing_ok=True)
    place.symlink_to(target)
    vendored.work.edit(DEV, *SMALL)
    vendored.commit()
    outcome = vendored.check(vendored.open())
    assert outcome.state in (State.FAILURE, State.ERROR), outcome.summary
    said = told(outcome, vendored)
    assert "root:" not in said and CANARY not in said


@pytest.mark.thorough
def test_a_vendored_charts_dependencies_are_not_fetched(vendored):
    with trap() as (address, callers):
        chart = vendored.work.read("charts/airflow/Chart.yaml")
        dependency = (
            f"dependencies:\n  - {{name: evil, version: 1.0.0, repository: 'http://{address}'}}\n"
        )
        vendored.work.write("charts/airflow/Chart.yaml", chart + dependency)
        vendored.work.edit(DEV, *SMALL)
        vendored.commit()
        outcome = vendored.check(vendored.open())
        assert callers == []
    assert outcome.state in (State.FAILURE, State.ERROR), outcome.summary


# Nothing is told.


def test_tokens_in_addresses_are_told_to_nobody(world):
    address = f"https://bot:{CANARY}@git.example.com/dags.git"
    world.branch("feature")
    world.work.edit(DEV, "dags: {image: {}}",
        f"dags: {{gitSync: {{repository: '{address}'}}}}\n"
        f"values: {{env: [{{name: X, value: '{address}?access_token={CANARY}'}}]}}")  # fmt: skip
    world.commit()
    world.options = {"push_back": False}
    outcome = world.check(world.open())
    assert CANARY not in told(outcome, world)
    alive(world)


def test_a_token_in_the_bases_own_address_is_told_to_nobody(world):
    secret = f"https://bot:{CANARY}@git.example.com/airflow.git"
    text = SETTINGS.replace("https://git.example.com/airflow.git", secret)
    assert text != SETTINGS
    world.work.write("gen-env.yaml", text)
    world.commit()
    world.merge()
    world.branch("feature")
    world.work.edit(DEV, *SMALL)
    world.commit()
    world.options = {"push_back": False}
    outcome = world.check(world.open())
    assert CANARY not in told(outcome, world)


NAMES = (
    "environments/dev/secrets/![p](https://evil.example.com/p.png) @everyone.yaml",
    "environments/dev/secrets/<img src=x onerror=alert(1)>.yaml",
    "environments/dev/secrets/`code` [x](javascript:alert(1)).yaml",
    "environments/dev/secrets/--> <!-- gen-env.yaml",
    "environments/@everyone/generated/<details>.yaml",
)
BREAKS = "```\n~~~~\n@everyone ![p](https://evil.example.com/p.png)\n</details>\n<script>alert(1)</script>\n<!--"


@pytest.mark.thorough
def test_names_and_texts_make_no_markup_in_a_comment(world):
    world.branch("feature")
    for name in NAMES:
        world.work.write(name, f"a: [\n# {BREAKS}\n")
    block = "\n".join(f"        {line}" for line in BREAKS.splitlines())
    world.work.edit(DEV, "{version: 3.2.2}", f"\n  version: 3.2.2\n  env:\n    TEXT: |\n{block}")
    world.commit(BREAKS)
    world.options = {"push_back": False}
    number = world.open(title=f"# {BREAKS}")
    outcome = world.check(number, grants=Grants(accepted={"impact/x": "<b>@everyone"}))
    assert outcome.state is State.FAILURE
    assert "yaml/syntax" in rules(outcome) or "tree/unreadable" in rules(outcome)
    for token in SHOWN.parse(world.comment(number)):
        assert token.type != "html_block" or re.fullmatch(
            r"<!-- gen-env [0-9a-f]{40} -->\n?|<details><summary>[^<>]*</summary>\n|</details>\n",
            token.content,
        ), token.content
        for child in token.children or ():
            assert child.type != "image"
            assert child.type != "html_inline", child.content
            assert "@everyone" not in child.content or child.type == "code_inline"
            if child.type == "link_open":
                assert child.attrs["href"].startswith("https://gen-env.example.com/")
    page = outcome.report_html
    assert (
        "<script>alert" not in page
        and "<img" not in page
        and "onerror=alert" not in re.sub(r"&lt;[^&]*&gt;", "", page)
    )
    alive(world)


def test_what_the_forge_says_of_a_pull_request_is_not_believed(world):
    """Branch names, titles and authors are the pull request's as well."""
    for branch in ("-x", "$(id)", "`id`", "x;y", "@everyone", "--upload-pack=x"):
        sha = world.work.git("rev-parse", "HEAD")
        world._bare("update-ref", f"refs/heads/{branch}", sha)
        number = world.store.add_pull(head=branch, sha=sha, title=f"{CANARY}\n\n@everyone")
        world._bare("update-ref", world.ref(number), sha)
        outcome = world.check(number)
        assert outcome.state is State.NEUTRAL, (branch, outcome.summary)
        assert world.comment(number) == ""
    assert fake_forge.TOKEN not in world.texts()
