"""Revisions as people have them: branches, shallow clones, foreign histories, odd files."""

import itertools
import os
import shutil
import subprocess
import time

import pytest

from generator.core.files import MAX_BYTES
from tests.effort import marks
from tests.repositories import DEV, SETTINGS, Repo, changed, dev_and_staging, repository

PATH = "environments/staging/environment.yaml"
VALUES = "environments/staging/generated/values.yaml"


@pytest.fixture
def repo(own_chart, templates, tmp_path):
    return Repo(templates.copy("dev-and-staging", dev_and_staging, tmp_path / "repo"))


def more_workers(repo, message=None):
    repo.edit(PATH, "replicas: 2", "replicas: 3")
    if message:
        repo.run("generate")
        repo.commit(message)


def names(done):
    assert done.code == 0, done.said
    return [item["name"] for item in done.json["environments"]]


def problems(done):
    return [item for env in done.json["environments"] for item in env["problems"]]


def clone(repo, target, *options):
    url = f"file://{repo.root}"
    subprocess.run(["git", "clone", "--quiet", *options, url, target], check=True)
    return Repo(target)


# -- which two sides --------------------------------------------------------------------------


def test_the_base_is_where_the_branch_left_the_default_one(repo):
    repo.git("checkout", "--quiet", "-b", "change")
    more_workers(repo, "more workers")
    repo.git("checkout", "--quiet", "main")
    repo.edit("environments/dev/environment.yaml", "auth:", "scheduler: {replicas: 2}\nauth:")
    repo.run("generate")
    repo.commit("something else on main")
    repo.git("checkout", "--quiet", "change")
    assert names(repo.run("diff", "-o", "json")) == ["staging"]
    assert sorted(names(repo.run("diff", "main", "-o", "json"))) == ["dev", "staging"]


@pytest.mark.few(1)
@pytest.mark.parametrize("how", ["edited", "staged", "new file", "deleted"])
def test_what_is_not_committed_counts(repo, how):
    if how == "new file":
        repo.definition("extra", changed(DEV, ("name: dev", "name: extra")))
    elif how == "deleted":
        shutil.rmtree((repo.root / PATH).parent)
    else:
        more_workers(repo)
        if how == "staged":
            repo.git("add", "--all")
    assert names(repo.run("diff", "-o", "json")) == ["extra" if how == "new file" else "staging"]


def test_ignored_files_and_files_elsewhere_reach_nothing(repo):
    repo.write(".gitignore", "environments/staging/scratch.yaml\n")
    repo.write("environments/staging/scratch.yaml", "a: [")
    repo.write("docs/notes.md", "x")
    done = repo.run("diff", "-o", "json")
    assert (
        names(done) == [] and done.json["reason"] == "No changes: the change affects no environment"
    )


def test_a_repository_in_a_folder_of_another_is_compared_there(repo, tmp_path):
    outer = Repo(tmp_path / "outer")
    inner = Repo(outer.root / "deploy/airflow")
    inner.root.parent.mkdir(parents=True)
    repo.git("worktree", "prune")
    subprocess.run(["cp", "-r", repo.root, inner.root], check=True)
    subprocess.run(["rm", "-r", inner.root / ".git"], check=True)
    inner.edit("gen-env.yaml", "forge: gitea}", "forge: gitea, path: deploy/airflow}")
    inner.run("generate")
    outer.init()
    more_workers(inner)
    outer.write("environments/staging/environment.yaml", "not ours: [")
    assert names(inner.run("diff", "-o", "json")) == ["staging"]


# -- histories --------------------------------------------------------------------------------


def test_histories_that_share_nothing_are_the_users_error(repo):
    repo.git("checkout", "--quiet", "--orphan", "alone")
    repo.commit("another beginning")
    done = repo.run("diff")
    assert done.code == 1 and "no commit in common" in done.stderr
    assert names(repo.run("diff", "main", "-o", "json")) == [], "named revisions need no history"


def test_a_shallow_clone_says_how_to_get_the_base(repo, tmp_path):
    repo.git("checkout", "--quiet", "-b", "change")
    more_workers(repo, "more workers")
    repo.git("commit", "--quiet", "--allow-empty", "--message=nothing")
    shallow = clone(repo, tmp_path / "shallow", "--depth=1", "--no-single-branch")
    done = shallow.run("diff")
    assert done.code == 1 and "shallow" in done.stderr and "fetch-depth: 0" in done.stderr
    assert names(shallow.run("diff", "origin/main", "origin/change", "-o", "json")) == ["staging"]


def test_the_default_branch_of_a_clone_may_be_absent_or_old(repo, tmp_path):
    repo.git("checkout", "--quiet", "-b", "change")
    more_workers(repo, "more workers")
    fresh = clone(repo, tmp_path / "fresh", "--branch=change")
    assert names(fresh.run("diff", "-o", "json")) == ["staging"], "only origin/main is there"
    fresh.git("branch", "main", "origin/main")
    repo.git("checkout", "--quiet", "main")
    repo.edit("environments/dev/environment.yaml", "auth:", "scheduler: {replicas: 2}\nauth:")
    repo.run("generate")
    repo.commit("something else on main")
    fresh.git("fetch", "--quiet")
    fresh.git("rebase", "--quiet", "origin/main")
    assert names(fresh.run("diff", "-o", "json")) == ["staging"], "main itself is old"


def test_a_clone_of_one_branch_says_that_the_base_is_missing(repo, tmp_path):
    repo.git("checkout", "--quiet", "-b", "change")
    more_workers(repo, "more workers")
    single = clone(repo, tmp_path / "single", "--depth=1", "--branch=change")
    done = single.run("diff")
    assert (
        done.code == 1 and "revision 'main' not found" in done.stderr and "shallow" in done.stderr
    )


def test_a_clone_without_its_blobs_reads_those_it_needs(repo, tmp_path):
    repo.git("config", "uploadpack.allowFilter", "true")
    more_workers(repo, "more workers")
    partial = clone(repo, tmp_path / "partial", "--filter=blob:none")
    assert names(partial.run("diff", "HEAD~1", "HEAD", "-o", "json")) == ["staging"]


def test_an_object_that_is_missing_is_told_and_stops_no_other(repo):
    more_workers(repo, "more workers")
    repo.edit("environments/dev/environment.yaml", "auth:", "scheduler: {replicas: 2}\nauth:")
    repo.run("generate")
    repo.commit("a scheduler more")
    oid = repo.git("rev-parse", f"HEAD:{VALUES}")
    (repo.root / ".git/objects" / oid[:2] / oid[2:]).unlink()
    done = repo.run("diff", "HEAD~2", "HEAD", "-o", "json")
    found = {item["name"]: item["rendered"] for item in done.json["environments"]}
    assert done.code == 1 and found == {"dev": True, "staging": False}
    (hint,) = {item["hint"] for item in problems(done) if item["path"] == VALUES}
    assert "git fsck" in hint


def test_before_the_first_commit_there_is_nothing_to_compare_with(tmp_path):
    repo = repository(tmp_path / "new", dev=DEV)
    repo.git("init", "--quiet", "--initial-branch=main")
    done = repo.run("diff")
    assert done.code == 1 and "no commit to compare" in done.stderr
    assert (
        "not inside a git repository" in repository(tmp_path / "bare", dev=DEV).run("diff").stderr
    )


# -- what lies in the trees -------------------------------------------------------------------


def bomb():
    """A billion laughs: nine levels of nine aliases each."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    for level in range(1, 10):
        lines.append(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]")
    return "\n".join(lines).encode()


ODD = {
    "huge": b"a: " + b"x" * (MAX_BYTES + 1),
    "nested": b"a: " + b"[" * 50_000,
    "nested maps": b"".join(b" " * depth + b"a:\n" for depth in range(2_000)),
    "bomb": bomb(),
    "not UTF-8": b"a: \xff\xfe\xfa",
    "binary": bytes(range(256)) * 64,
    "empty": b"",
    "text": b"just text",
    "many documents": b"---\na: 1\n" * 5_000,
}


# Every kind on one side, and every side with one kind; the rest in `make test-all`.
OFTEN = [*((kind, "base") for kind in ODD), ("bomb", "head"), ("not UTF-8", "work tree")]


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("kind", "side"),
    [
        pytest.param(*pair, id="-".join(pair), marks=marks(pair, test=OFTEN))
        for pair in itertools.product(ODD, ("base", "head", "work tree"))
    ],
)
def test_a_file_nobody_can_use_is_told_and_the_other_environment_compared(repo, kind, side):
    good = repo.git("rev-parse", "HEAD")
    repo.write(VALUES, ODD[kind])
    repo.edit("environments/dev/environment.yaml", "auth:", "scheduler: {replicas: 2}\nauth:")
    repo.run("generate", "dev")
    if side != "work tree":
        repo.commit("odd")
    odd = repo.git("rev-parse", "HEAD")
    sides = {"base": (odd, good), "head": (good, odd), "work tree": ()}[side]
    started = time.process_time()
    done = repo.run("diff", *sides, "-o", "json")
    assert time.process_time() - started < 20
    found = {item["name"]: item for item in done.json["environments"]}
    assert found["dev"]["rendered"] and found["dev"]["changes"]
    if side == "base" and kind != "empty":
        assert done.code == 1 and not found["staging"]["rendered"]
        assert found["staging"]["reason"] == "the base does not render"
        assert VALUES in {item["path"] for item in problems(done)}
    elif side != "base":
        rules = {item["rule"] for item in problems(done) if item["path"] == VALUES}
        assert rules & {"tree/not-ours", "tree/unreadable", "render/not-possible"}


def test_links_that_lead_out_are_told_and_not_followed(repo, tmp_path):
    secret = tmp_path / "outside.yaml"
    secret.write_text("kind: Secret\nstringData: {password: canary-83}\n")
    place = "environments/staging/secrets/outside.yaml"
    (repo.root / place).symlink_to(secret)
    (repo.root / "environments/linked").symlink_to(tmp_path)
    repo.commit("links")
    done = repo.run("diff", "HEAD~1", "HEAD", "-o", "json")
    told = {item["path"] for item in done.json["problems"] if item["rule"] == "tree/symlink"}
    assert told == {place, "environments/linked"} and "canary" not in done.said


def test_a_submodule_is_told_and_not_entered(repo, tmp_path):
    other = repository(tmp_path / "other", dev=DEV).init()
    repo.git(
        "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other.root),
        "environments/theirs",
    )  # fmt: skip
    repo.commit("a submodule")
    for sides in (("HEAD~1", "HEAD"), ("HEAD~1",)):
        done = repo.run("diff", *sides, "-o", "json")
        told = [item["path"] for item in done.json["problems"] if "submodule" in item["message"]]
        assert told == [".gitmodules", "environments/theirs"], sides


def test_names_that_are_no_text_are_in_reach_all_the_same(repo):
    name = os.fsdecode(b"environments/staging/secrets/\xff.yaml")
    repo.write(name, "a: 1")
    repo.commit("odd name")
    done = repo.run("diff", "HEAD~1", "HEAD", "-o", "json")
    found = done.json["environments"][0]["problems"]
    (problem,) = (item for item in found if item["rule"] == "tree/foreign")
    assert done.code == 1
    assert problem["path"] == "environments/staging/secrets/\\xff.yaml"


def test_settings_that_break_are_told_once(repo):
    repo.write("gen-env.yaml", SETTINGS + "clusters: [\n")
    done = repo.run("diff", "-o", "json")
    assert [item["path"] for item in done.json["problems"]] == ["gen-env.yaml"]
