"""A commit made of git's objects: reproducible, exact, and right after the merge or not made."""

import pytest

from generator.core.errors import UserError
from generator.git.diff import merge_tree
from generator.git.mirror import Mirror
from generator.tree.plan import Plan
from service.check import regenerate
from service.check.mirror import Pinned
from tests.repositories import Repo

LINES = "".join(f"line {number}\n" for number in range(9))


@pytest.fixture
def repo(tmp_path):
    repo = Repo(tmp_path / "work")
    repo.write("made", LINES)
    repo.write("stale", "old\n")
    repo.write("other", "x\n")
    return repo.init()


def pinned(repo, tmp_path, base, head):
    mirror = Mirror.open(tmp_path / "mirror.git")
    repo.git("push", "-q", str(mirror.gitdir), f"{base}:refs/w/base", f"{head}:refs/w/head")
    sides = [mirror.resolve(f"refs/w/{side}") for side in ("base", "head")]
    return Pinned(mirror, *sides, merge_tree(mirror.git, *sides).tree)


def test_the_commit_holds_the_plan_and_nothing_else(repo, tmp_path):
    sides = pinned(repo, tmp_path, "HEAD", "HEAD")
    plan = Plan({"made": "new\n", "deep/er": "y\n"}, ("stale",))
    proposal = regenerate.propose(sides, plan, ["dev"])
    content = sides.mirror.at(proposal.sha).read_tree()[0]
    assert content == {"made": b"new\n", "deep/er": b"y\n", "other": b"x\n"}
    assert regenerate.is_ours(sides.mirror, proposal.sha)
    assert not regenerate.is_ours(sides.mirror, sides.head)
    assert regenerate.propose(sides, plan, ["dev"]) == proposal
    (tmp_path / "p").write_text(proposal.patch)
    repo.git("apply", str(tmp_path / "p"))
    assert (repo.read("made"), (repo.root / "stale").exists()) == ("new\n", False)


def test_a_commit_that_would_not_merge_as_it_must_is_not_made(repo, tmp_path):
    repo.git("branch", "feature")
    repo.edit("made", "line 3\n", "base 3\n")
    repo.commit("Base moves on")
    sides = pinned(repo, tmp_path, "main", "feature")
    merged = LINES.replace("line 3", "base 3")
    beside = Plan({"made": merged.replace("line 4", "head 4")})
    assert regenerate.propose(sides, beside, []) is None
    apart = Plan({"made": merged.replace("line 8", "head 8")})
    assert regenerate.propose(sides, apart, []) is not None


@pytest.mark.parametrize("path", ["made/below", "folder"])
def test_nothing_of_a_persons_makes_way_for_the_plan(repo, tmp_path, path):
    repo.write("folder/theirs", "keep\n")
    repo.commit("Theirs")
    sides = pinned(repo, tmp_path, "HEAD", "HEAD")
    assert regenerate.propose(sides, Plan({path: "x"}), []) is None


@pytest.mark.parametrize("name", ["", "-x", "refs/heads/x", "a b", "a:b", "a\nb", "x*", "a^b"])
def test_only_a_branch_is_pushed_to(name):
    with pytest.raises(UserError):
        regenerate.require_name(name)
    assert regenerate.require_name("fix/it") == "refs/heads/fix/it"
