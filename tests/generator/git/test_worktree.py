"""The user's own work tree: what we read from it, and that nothing of theirs is disturbed."""

import os
import subprocess
import sys

import pytest

from generator.core.errors import UserError
from generator.git import repository
from generator.git.url import display_url, host_url
from generator.git.worktree import Worktree


def git(root, *arguments):
    done = subprocess.run(["git", "-C", root, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(autouse=True)
def git_of_nobody(tmp_path, monkeypatch):
    config = tmp_path / "gitconfig"
    config.write_text("[user]\nname = Ann\nemail = ann@example.com\n[init]\ndefaultBranch = main\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def empty(tmp_path):
    root = tmp_path / "repo"
    root.mkdir()
    git(root, "init", "-q")
    return Worktree.find(root)


@pytest.fixture
def tree(empty):
    (empty.root / "a").write_text("one\n")
    (empty.root / "b").write_text("one\n")
    (empty.root / "folder").mkdir()
    (empty.root / "folder" / "c").write_text("one\n")
    git(empty.root, "add", "-A")
    git(empty.root, "commit", "-qm", "first")
    return empty


def state(tree):
    """Everything of the user's that must survive: index, work tree, stash and commit."""
    return (
        git(tree.root, "diff", "--cached"),
        git(tree.root, "diff"),
        git(tree.root, "status", "--porcelain", "--untracked-files=all"),
        git(tree.root, "log", "--all", "--format=%H"),
    )


# finding


def test_the_top_is_found_from_any_folder_below(tree):
    assert Worktree.find(tree.root / "folder").root == tree.root.resolve()


def test_a_folder_with_a_line_break_in_its_name_is_found(tmp_path):
    odd = tmp_path / "a\nb"
    odd.mkdir()
    git(odd, "init", "-q")
    assert Worktree.find(odd).root == odd.resolve()


def test_a_plain_folder_and_a_bare_repository_are_refused(tmp_path):
    with pytest.raises(UserError, match="not inside a git repository"):
        Worktree.find(tmp_path)
    git(tmp_path, "init", "-q", "--bare", "bare.git")
    with pytest.raises(UserError, match="is a bare repository"):
        Worktree.find(tmp_path / "bare.git")
    with pytest.raises(UserError, match=r"folder .* not found"):
        Worktree.find(tmp_path / "nowhere")


def test_a_machine_without_git_says_so(tree, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(UserError, match="cannot start git") as caught:
        tree.head()
    assert "install git" in caught.value.hint


def test_a_surrounding_git_does_not_lead_us_elsewhere(tree, tmp_path, monkeypatch):
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git/index"))
    assert Worktree.find(tree.root) == Worktree(tree.root.resolve())
    assert tree.head() is not None


def test_work_beside_a_surrounding_git_reaches_this_repository_and_leaves_the_environment(
    tree, tmp_path, monkeypatch
):
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    hook(
        tree, "pre-commit", 'test -z "$GIT_DIR" && test "$(git rev-parse --show-toplevel)" = "$PWD"'
    )
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    (tree.root / "a").write_text("two\n")
    with tree.new_branch("new/staging"):
        assert tree.changed(["a"]) == ["a"]
        tree.commit_only(["a"], "x")
    assert os.environ["GIT_DIR"] == str(other / ".git")
    monkeypatch.delenv("GIT_DIR")
    monkeypatch.delenv("GIT_WORK_TREE")
    assert git(tree.root, "log", "--format=%s", "new/staging") == "x\nfirst"
    assert list(other.iterdir()) == [other / ".git"]


def test_a_repository_with_sha_256_is_worked_in_like_any_other(tmp_path):
    root = tmp_path / "sha256"
    git(tmp_path, "init", "-q", "--object-format=sha256", str(root))
    tree = Worktree.find(root)
    (root / "a").write_text("one\n")
    first = tree.commit_only(["a"], "first")
    assert len(first) == 64 and tree.resolve("main") == tree.head() == first
    with tree.new_branch("new/staging"):
        (root / "a").write_text("two\n")
        second = tree.commit_only(["a"], "second")
    tree.switch("main")
    assert (tree.head(), tree.merge_base("main", second)) == (first, first)


def test_a_folder_with_a_dollar_sign_in_its_name_is_taken_literally(tmp_path):
    root = tmp_path / "$HOME"
    root.mkdir()
    repository.create(root, "trunk")
    tree = Worktree.find(root)
    assert (tree.root, tree.branch(), tree.changed(["."])) == (root.resolve(), "trunk", [])


def test_without_git_work_is_refused_in_words(tree, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(UserError, match="cannot start git") as caught:
        tree.changed(["a"])
    assert "install git" in caught.value.hint


def test_git_is_imported_only_where_it_is_worked_with(tree):
    code = (
        "import sys; from pathlib import Path; from generator.git.worktree import Worktree\n"
        f"tree = Worktree.find(Path({str(tree.root)!r})); tree.at('HEAD').read_tree()\n"
        "tree.left_at(tree.default_branch(), 'HEAD'); assert 'git' not in sys.modules\n"
        "tree.remotes(); assert 'git' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# reading


def test_head_and_branch_before_the_first_commit_and_detached(empty):
    assert (empty.head(), empty.branch()) == (None, "main")
    git(empty.root, "commit", "-q", "--allow-empty", "-m", "x")
    head = git(empty.root, "rev-parse", "HEAD")
    assert (empty.head(), empty.branch()) == (head, "main")
    git(empty.root, "checkout", "-q", "--detach")
    assert (empty.head(), empty.branch()) == (head, None)


def test_the_default_branch_is_configured_or_origins_or_main_or_this_one(tree, tmp_path):
    assert tree.default_branch("release") == "release"
    assert tree.default_branch() == "main"
    git(tree.root, "branch", "-m", "trunk")
    assert tree.default_branch() == "trunk"
    git(tmp_path, "clone", "-q", str(tree.root), "clone")
    clone = Worktree.find(tmp_path / "clone")
    git(clone.root, "switch", "-q", "-c", "main")
    assert clone.default_branch() == "trunk"
    git(tree.root, "checkout", "-q", "--detach")
    with pytest.raises(UserError, match="default branch"):
        tree.default_branch()


def test_revisions_resolve_to_full_ids(tree):
    head = git(tree.root, "rev-parse", "HEAD")
    git(tree.root, "tag", "-am", "x", "v1")
    for revision in ("HEAD", "main", head[:8], "v1", "refs/heads/main"):
        assert tree.resolve(revision) == head


def test_what_does_not_resolve_is_named(tree, tmp_path):
    with pytest.raises(UserError, match="revision 'nowhere' not found"):
        tree.resolve("nowhere")
    for odd in ("--help", "-x", "", "a\0b"):
        with pytest.raises(UserError):
            tree.resolve(odd)
    git(tree.root, "branch", "only-there")
    git(tmp_path, "clone", "-q", str(tree.root), "clone")
    with pytest.raises(UserError) as caught:
        Worktree.find(tmp_path / "clone").resolve("only-there")
    assert "origin/only-there" in caught.value.hint


def test_a_shallow_clone_is_told_how_to_get_its_history(tree, tmp_path):
    first = tree.head()
    (tree.root / "a").write_text("two\n")
    git(tree.root, "commit", "-qam", "second")
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{tree.root}", "shallow")
    shallow = Worktree.find(tmp_path / "shallow")
    with pytest.raises(UserError) as caught:
        shallow.resolve(first)
    assert "git fetch --unshallow" in caught.value.hint
    assert shallow.at("HEAD").read_file("a") == b"two\n"


def test_the_merge_base_is_the_newest_common_commit(tree):
    base = tree.head()
    git(tree.root, "switch", "-qc", "side")
    git(tree.root, "commit", "-q", "--allow-empty", "-m", "side")
    git(tree.root, "switch", "-q", "main")
    git(tree.root, "commit", "-q", "--allow-empty", "-m", "main")
    assert tree.merge_base("main", "side") == base
    git(tree.root, "switch", "-q", "--orphan", "other")
    git(tree.root, "commit", "-q", "--allow-empty", "-m", "other")
    with pytest.raises(UserError, match="no commit in common"):
        tree.merge_base("main", "other")


def test_a_remote_is_shown_without_credentials(tree):
    assert tree.remote_url() is None
    git(tree.root, "remote", "add", "origin", "https://ann:s3cret@example.com/a/b.git")
    assert tree.remote_url() == "https://example.com/a/b.git"


def test_remotes_are_those_of_git(tree):
    extra = '[remote "included"]\n\turl = https://example.com/included.git\n'
    (tree.root / ".git" / "extra").write_text(extra)
    with (tree.root / ".git" / "config").open("a") as config:
        config.write(
            '[include]\n\tpath = extra\n[remote "a.b"]\n\turl = "https://example.com/#x;y"\n'
        )
        config.write('[remote "bare"]\n\tfetch = +refs/heads/*:refs/remotes/bare/*\n')
    assert tree.remotes() == sorted(git(tree.root, "remote").split()) == ["a.b", "bare", "included"]
    assert tree.remote_url("included") == "https://example.com/included.git"
    assert tree.remote_url("a.b") == display_url("https://example.com/#x;y")
    assert tree.remote_url("bare") is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://token@example.com:8443/a.git", "https://example.com:8443/a.git"),
        ("https://example.com/a.git?private_token=x", "https://example.com/a.git"),
        ("ssh://git:pw@example.com:22/a.git", "ssh://git@example.com:22/a.git"),
        ("git@example.com:a/b.git", "git@example.com:a/b.git"),
        ("/srv/git/a.git", "/srv/git/a.git"),
        ("https://a:b@c@example.com/x", "https://example.com/x"),
    ],
)
def test_what_is_secret_in_an_address_is_left_out(url, shown):
    assert display_url(url) == shown


def test_a_credential_is_for_one_host():
    assert host_url("https://u:p@example.com:8443/a/b.git") == "https://example.com:8443/"


def test_changed_lists_modified_deleted_staged_and_untracked_files(tree):
    (tree.root / "a").write_text("two\n")
    (tree.root / "b").unlink()
    (tree.root / "folder" / "new é").write_text("x")
    (tree.root / "staged").write_text("x")
    git(tree.root, "add", "staged")
    assert tree.changed(["a", "b", "folder", "staged"]) == ["a", "b", "folder/new é", "staged"]
    assert tree.changed(["folder/c", "nowhere"]) == []
    assert tree.changed([]) == []


# committing


def test_only_our_paths_are_committed_and_the_rest_stays_as_it_was(tree):
    (tree.root / "a").write_text("ours\n")
    (tree.root / "new").write_text("ours\n")
    (tree.root / "b").write_text("staged\n")
    git(tree.root, "add", "b")
    (tree.root / "b").write_text("staged and edited\n")
    (tree.root / "folder" / "c").write_text("edited\n")
    (tree.root / "untracked").write_text("x")
    commit = tree.commit_only(["a", "new"], "Add what is ours\n\nand why")
    assert commit == tree.head()
    assert git(tree.root, "show", "--format=%s|%b", "--name-only", "HEAD").split("\n") == [
        "Add what is ours|and why", "", "", "a", "new",
    ]  # fmt: skip
    assert git(tree.root, "diff", "--cached", "--name-only") == "b"
    assert git(tree.root, "show", ":b") == "staged"
    assert tree.changed(["."]) == ["b", "folder/c", "untracked"]


def test_deletions_and_whole_folders_are_committed(tree):
    (tree.root / "folder" / "c").unlink()
    (tree.root / "folder" / "d").write_text("x")
    git(tree.root, "rm", "-q", "b")
    tree.commit_only(["folder", "b"], "Move")
    assert git(tree.root, "ls-tree", "-r", "--name-only", "HEAD").split() == ["a", "folder/d"]
    assert git(tree.root, "status", "--porcelain") == ""


def test_the_first_commit_of_a_repository(empty):
    (empty.root / "a").write_text("x")
    (empty.root / "staged").write_text("x")
    git(empty.root, "add", "staged")
    commit = empty.commit_only(["a"], "first")
    assert git(empty.root, "ls-tree", "-r", "--name-only", commit) == "a"
    assert git(empty.root, "diff", "--cached", "--name-only") == "staged"


def test_nothing_changed_gives_the_head_as_it_is(tree, empty):
    head = tree.head()
    assert tree.commit_only(["a", "nowhere"], "nothing") == head
    assert tree.commit_only([], "nothing") == head


def test_nothing_to_commit_before_the_first_commit_is_an_error(empty):
    with pytest.raises(UserError, match="nothing to commit"):
        empty.commit_only(["a"], "nothing")


def test_names_are_taken_literally(tree):
    for name in (":(top)a", "*", "-x", "é\n"):
        (tree.root / name).write_text("x")
    (tree.root / "a").write_text("two\n")
    tree.commit_only([":(top)a", "*", "-x", "é\n"], "odd names")
    assert tree.changed(["."]) == ["a"]


def hook(tree, name, text):
    path = tree.root / ".git" / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_a_hook_that_refuses_is_quoted_and_nothing_is_lost(tree):
    hook(tree, "pre-commit", "echo 'no trailing spaces, please' >&2; exit 1")
    (tree.root / "a").write_text("ours \n")
    (tree.root / "new").write_text("ours\n")
    (tree.root / "b").write_text("staged\n")
    git(tree.root, "add", "b")
    before = state(tree)
    with pytest.raises(UserError, match="no trailing spaces, please") as caught:
        tree.commit_only(["a", "new"], "x")
    assert "no files were changed" in caught.value.hint
    assert state(tree) == before


def test_hooks_of_the_user_run(tree):
    hook(tree, "commit-msg", 'echo "Signed-off-by: hook" >> "$1"')
    (tree.root / "a").write_text("two\n")
    tree.commit_only(["a"], "subject")
    assert "Signed-off-by: hook" in git(tree.root, "log", "-1", "--format=%B")


def test_a_hook_can_use_patterns_of_its_own(tree):
    hook(tree, "pre-commit", 'test "$(git ls-files "*older/c")" = folder/c')
    (tree.root / "a*").write_text("two\n")
    tree.commit_only(["a*"], "x")
    assert tree.changed(["a*"]) == []


def test_a_missing_identity_is_said_before_anything_happens(tree, tmp_path, monkeypatch):
    (tmp_path / "gitconfig").write_text("[user]\nuseConfigOnly = true\n")
    for role in ("AUTHOR", "COMMITTER"):
        for fact in ("NAME", "EMAIL"):
            monkeypatch.delenv(f"GIT_{role}_{fact}", raising=False)
    (tree.root / "new").write_text("x")
    before = git(tree.root, "status", "--porcelain")
    with pytest.raises(UserError, match="who you are") as caught:
        tree.commit_only(["new"], "x")
    assert "git config --global user.name" in caught.value.hint
    assert "git config --global user.email" in caught.value.hint
    assert git(tree.root, "status", "--porcelain") == before


def test_an_ignored_path_is_an_error_that_names_the_pattern(tree):
    (tree.root / ".gitignore").write_text("# none\nsecrets/\n")
    (tree.root / "secrets").mkdir()
    (tree.root / "secrets" / "x.yaml").write_text("x")
    with pytest.raises(UserError, match=r"ignores secrets/x\.yaml") as caught:
        tree.commit_only(["secrets/x.yaml"], "x")
    assert caught.value.place == ".gitignore:2"


def test_a_path_that_a_negated_pattern_lets_through_is_committed(tree):
    (tree.root / ".gitignore").write_text("*.yaml\n!keep.yaml\n")
    (tree.root / "keep.yaml").write_text("x")
    tree.commit_only(["keep.yaml"], "x")
    assert tree.changed(["keep.yaml"]) == []


def test_a_merge_under_way_is_said(tree):
    git(tree.root, "switch", "-qc", "side")
    (tree.root / "a").write_text("side\n")
    git(tree.root, "commit", "-qam", "side")
    git(tree.root, "switch", "-q", "main")
    (tree.root / "a").write_text("main\n")
    git(tree.root, "commit", "-qam", "main")
    subprocess.run(["git", "-C", tree.root, "merge", "side"], capture_output=True)
    (tree.root / "new").write_text("x")
    before = git(tree.root, "status", "--porcelain")
    with pytest.raises(UserError, match="under way"):
        tree.commit_only(["new"], "x")
    assert git(tree.root, "status", "--porcelain") == before


def test_a_linked_worktree_is_a_work_tree(tree, tmp_path):
    git(tree.root, "worktree", "add", "-q", "-b", "linked", str(tmp_path / "linked"))
    linked = Worktree.find(tmp_path / "linked")
    (linked.root / "new").write_text("x")
    commit = linked.commit_only(["new"], "x")
    assert linked.branch() == "linked"
    assert linked.at(commit).read_file("new") == b"x"
    assert tree.branch() == "main"


# branches


def dirty(tree):
    (tree.root / "a").write_text("edited\n")
    (tree.root / "b").write_text("staged\n")
    git(tree.root, "add", "b")
    (tree.root / "untracked").write_text("x")


def test_a_branch_is_made_on_a_dirty_tree(tree):
    dirty(tree)
    before, head = state(tree), tree.head()
    with tree.new_branch("new/staging"):
        pass
    assert (tree.branch(), tree.head()) == ("new/staging", head)
    assert state(tree) == before


def test_a_branch_is_made_from_a_detached_head(tree):
    git(tree.root, "checkout", "-q", "--detach")
    dirty(tree)
    before = state(tree)
    with tree.new_branch("new/staging"):
        pass
    assert tree.branch() == "new/staging"
    assert state(tree) == before


def test_a_branch_is_made_before_the_first_commit(empty):
    (empty.root / "staged").write_text("x")
    git(empty.root, "add", "staged")
    with empty.new_branch("new/staging"):
        pass
    assert empty.branch() == "new/staging"
    assert git(empty.root, "diff", "--cached", "--name-only") == "staged"


def test_a_branch_that_is_taken_or_badly_named_is_refused(tree):
    git(tree.root, "branch", "new")
    for name, words in [
        ("main", "already exists"),
        ("a..b", "invalid branch name"),
        ("--orphan", "invalid branch name"),
        ("@{-1}", "invalid branch name"),
        ("new/staging", "cannot create the branch"),
    ]:
        with pytest.raises(UserError, match=words), tree.new_branch(name):
            pass
        assert tree.branch() == "main"


@pytest.mark.parametrize("place", ["branch", "detached", "unborn"])
def test_a_failure_on_a_new_branch_leaves_no_trace(request, place):
    tree = request.getfixturevalue("empty" if place == "unborn" else "tree")
    if place == "detached":
        git(tree.root, "checkout", "-q", "--detach")
    if place != "unborn":
        dirty(tree)
    before = (tree.head(), tree.branch())
    files = git(tree.root, "status", "--porcelain")
    with pytest.raises(RuntimeError), tree.new_branch("new/staging"):
        assert tree.branch() == "new/staging"
        raise RuntimeError
    assert (tree.head(), tree.branch()) == before
    assert git(tree.root, "status", "--porcelain") == files
    assert git(tree.root, "for-each-ref", "refs/heads/new") == ""


@pytest.mark.parametrize("detached", [False, True])
def test_a_failure_beside_a_locked_index_leaves_head_where_it_was(tree, detached):
    if detached:
        git(tree.root, "checkout", "--quiet", "--detach")
    before = (tree.branch(), tree.head())
    lock = tree.root / ".git" / "index.lock"
    with pytest.raises(UserError, match="first"), tree.new_branch("new"):
        lock.touch()
        raise UserError("what failed first")
    lock.unlink()
    assert (tree.branch(), tree.head()) == before
    assert git(tree.root, "branch", "--list", "new") == ""


def test_a_commit_made_on_a_branch_that_fails_later_goes_with_it(tree):
    with pytest.raises(RuntimeError), tree.new_branch("new/staging"):
        (tree.root / "new").write_text("x")
        tree.commit_only(["new"], "x")
        raise RuntimeError
    assert tree.branch() == "main"
    assert not (tree.root / "new").exists()


def test_a_new_branch_stays_when_all_went_well(tree):
    with tree.new_branch("new/staging"):
        pass
    assert tree.branch() == "new/staging"
    tree.switch("main")
    assert tree.branch() == "main"


def test_switching_never_overwrites_an_edit(tree):
    git(tree.root, "switch", "-qc", "side")
    (tree.root / "a").write_text("side\n")
    git(tree.root, "commit", "-qam", "side")
    (tree.root / "a").write_text("edited\n")
    with pytest.raises(UserError, match="cannot switch to main"):
        tree.switch("main")
    assert (tree.root / "a").read_text() == "edited\n"
