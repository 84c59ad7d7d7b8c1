"""Whether what is read in the user's clone is what a git source of a release names."""

import pytest

from generator.git.clone import Clone
from tests.repositories import Repo

HERE = "https://git.example.com/flow.git"


@pytest.fixture
def repo(tmp_path):
    """A text in three states: at the tag and branch `old`, at the tag `same`, edited since."""
    repo = Repo(tmp_path)
    repo.write("deploy/values.yaml", "uid: 1\n")
    repo.write("still.yaml", "a: 1\n")
    repo.init()
    repo.git("remote", "add", "origin", HERE)
    repo.git("tag", "v1")
    repo.git("branch", "release")
    repo.write("deploy/values.yaml", "uid: 2\n")
    repo.commit("Other values")
    repo.git("tag", "v2")
    repo.git("switch", "--quiet", "--create", "topic")
    return repo


REVISIONS = {
    "no revision": ("", HERE, ""),
    "HEAD": ("HEAD", HERE, ""),
    "the default branch": ("main", HERE, ""),
    "the branch that is checked out": ("refs/heads/topic", HERE, ""),
    "a tag with the same content": ("v2", HERE, ""),
    "an older tag": ("v1", HERE, "differs from v1"),
    "an older tag in full": ("refs/tags/v1", HERE, "differs from v1"),
    "another branch": ("release", HERE, "differs from release"),
    "a tag that is not here": ("v9", HERE, "does not know v9"),
    "a range": ("v1.*", HERE, "does not know v1.*"),
    "another repository": ("main", "https://git.example.com/other.git", "no remote"),
    "no repository": ("main", "", "no remote of this clone is named"),
    "a placeholder": ("main", "https://git.example.com/{{ .name }}.git", "no remote"),
    "the same by SSH": ("main", "git@git.example.com:flow.git", ""),
}


@pytest.mark.parametrize("what", REVISIONS)
def test_what_is_read_here_is_compared_with_what_the_source_names(repo, what):
    revision, address, reason = REVISIONS[what]
    found = Clone.of(repo.root).differs("deploy", address, revision)
    assert bool(found) is bool(reason) and reason in found


def test_a_pinned_revision_is_compared_with_the_work_tree_or_with_a_commit(repo):
    repo.write("deploy/more.yaml", "b: 1\n")
    assert "differs" in Clone.of(repo.root).differs("deploy", HERE, "v2")
    assert not Clone.of(repo.root, "v2").differs("deploy", HERE, "v2")
    assert "differs" in Clone.of(repo.root, "v2").differs("deploy", HERE, "v1")
    assert not Clone.of(repo.root).differs("still.yaml", HERE, "v1")


def test_a_branch_that_the_user_compares_with_counts_as_what_this_becomes(repo):
    assert not Clone.of(repo.root, base="origin/release").differs("deploy", HERE, "release")
    assert "differs" in Clone.of(repo.root, branch="release").differs("deploy", HERE, "v1")
    assert "differs" in Clone.of(repo.root, base="v1").differs("deploy", HERE, "v1")


def test_without_a_default_branch_each_branch_is_compared(repo):
    repo.git("checkout", "--quiet", "--detach")
    for name in ("main", "topic", "release"):
        repo.git("branch", "--force", "-D", name)
    assert "does not know main" in Clone.of(repo.root).differs("deploy", HERE, "main")


def test_paths_count_from_the_top_of_the_repository(repo):
    assert "below deploy/" in Clone.of(repo.root / "deploy").differs("values.yaml", HERE, "")


def test_outside_of_git_nothing_is_the_source(tmp_path):
    assert "no remote" in Clone.of(tmp_path).differs("deploy", HERE, "")
    assert Clone.of(tmp_path).containing("uid") == []


def test_yaml_files_are_found_by_their_words_in_the_work_tree_and_in_a_commit(repo):
    repo.write("new.yaml", "uid: 3\n")
    repo.write("uid.txt", "uid: 3\n")
    assert Clone.of(repo.root).containing("uid", ": 3") == ["new.yaml"]
    assert Clone.of(repo.root, "v1").containing("uid") == ["deploy/values.yaml"]
