"""Revisions read from git's objects: raw bytes, nothing followed, nothing run."""

import subprocess

import pytest

from generator.core.errors import UserError
from generator.git import diff
from generator.git.mirror import Mirror
from generator.git.revision import Entry, Revision
from generator.git.worktree import Worktree


def git(root, *arguments, stdin=b""):
    done = subprocess.run(["git", "-C", root, *arguments], capture_output=True, input=stdin)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode().strip()


@pytest.fixture(autouse=True)
def git_of_nobody(tmp_path, monkeypatch):
    config = tmp_path / "gitconfig"
    config.write_text("[user]\nname = Ann\nemail = ann@example.com\n[init]\ndefaultBranch = main\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "repo"
    root.mkdir()
    git(root, "init", "-q")
    (root / "a").write_bytes(b"one\r\n\x00\xff")
    (root / "folder").mkdir()
    (root / "folder" / "b").write_text("two\n")
    (root / "folder" / "run").write_text("#!/bin/sh\n")
    (root / "folder" / "run").chmod(0o755)
    (root / "folderish").write_text("x")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    return Worktree.find(root)


def commit_of(tree, entries):
    """A commit whose tree holds these (mode, type, oid, raw name); git itself checks no names."""
    listing = b"".join(
        f"{mode} {kind} {oid}\t".encode() + name + b"\0" for mode, kind, oid, name in entries
    )
    made = git(tree.root, "mktree", "-z", "--missing", stdin=listing)
    return git(tree.root, "commit-tree", made, stdin=b"odd")


def blob(tree, content=b"x"):
    return git(tree.root, "hash-object", "-w", "--stdin", stdin=content)


def test_files_are_listed_with_mode_id_and_size(tree):
    entries = tree.at("HEAD").list_files()
    assert [(entry.path, entry.mode, entry.size) for entry in entries] == [
        ("a", "100644", 7),
        ("folder/b", "100644", 4),
        ("folder/run", "100755", 10),
        ("folderish", "100644", 1),
    ]
    assert entries[1].oid == git(tree.root, "rev-parse", "HEAD:folder/b")
    assert not any(entry.fault for entry in entries)


def test_only_what_is_below_a_folder_is_listed(tree):
    paths = [entry.path for entry in tree.at("HEAD").list_files("folder/")]
    assert paths == ["folder/b", "folder/run"]
    assert tree.at("HEAD").list_files("nowhere") == []
    assert tree.at("HEAD").list_files("-x") == []


def test_too_many_files_are_refused(tree):
    assert len(tree.at("HEAD").list_files(max_files=4)) == 4
    with pytest.raises(UserError, match="more than 3 files"):
        tree.at("HEAD").list_files(max_files=3)


def test_content_is_what_was_committed_whatever_attributes_say(tree):
    (tree.root / ".gitattributes").write_text("* export-ignore filter=evil eol=crlf\n")
    git(tree.root, "config", "filter.evil.smudge", "touch ran; cat")
    git(tree.root, "add", ".gitattributes")
    git(tree.root, "commit", "-qm", "attributes")
    content, left = tree.at("HEAD").read_tree()
    assert content["a"] == b"one\r\n\x00\xff"
    assert content["folder/b"] == b"two\n"
    assert left == []
    assert not (tree.root / "ran").exists()


def test_a_file_is_read_by_its_path(tree):
    revision = tree.at("HEAD")
    assert revision.read_file("folder/b") == b"two\n"
    assert revision.read_file("folder") is None
    assert revision.read_file("nowhere") is None


def test_links_and_submodules_are_reported_and_never_followed(tree):
    sha = commit_of(tree, [
        ("100644", "blob", blob(tree), b"file"),
        ("120000", "blob", blob(tree, b"/etc/passwd"), b"link"),
        ("160000", "commit", "1" * 40, b"module"),
    ])  # fmt: skip
    content, left = tree.at(sha).read_tree()
    assert content == {"file": b"x"}
    assert [(entry.path, entry.fault) for entry in left] == [
        ("link", "a symbolic link"),
        ("module", "a submodule"),
    ]
    with pytest.raises(UserError, match="a symbolic link"):
        tree.at(sha).read_file("link")


@pytest.mark.parametrize(
    ("name", "shown", "fault"),
    [
        (b"a\nb", "a\\u000ab", "control or invisible"),
        (b"a\x1b[31m", "a\\u001b[31m", "control or invisible"),
        ("a\u202eb".encode(), "a\\u202eb", "control or invisible"),
        ("a\u200bb".encode(), "a\\u200bb", "control or invisible"),
        (b"a\xffb", "a\\xffb", "not UTF-8"),
        (b"..", "..", "points outside"),
        (b".GIT", ".GIT", "points outside"),
        (b"x" * 300, "x" * 300, "longer than 255"),
    ],
)
def test_a_name_that_is_not_fit_is_reported_and_shown_safely(tree, name, shown, fault):
    sha = commit_of(tree, [("100644", "blob", blob(tree), name)])
    [entry] = Revision(tree.git, sha).list_files()
    assert entry.path == shown
    assert fault in entry.fault


def test_sizes_are_checked_before_anything_is_read(tree):
    (tree.root / "big").write_bytes(b"x" * 2000)
    git(tree.root, "add", "big")
    git(tree.root, "commit", "-qm", "big")
    revision = tree.at("HEAD")
    big = next(entry for entry in revision.list_files() if entry.path == "big")
    with pytest.raises(UserError, match="larger than 1,000 bytes"):
        revision.read_blobs([big.oid], max_size=1000)
    with pytest.raises(UserError, match="more than 1,999 bytes together"):
        revision.read_blobs([big.oid], max_total=1999)
    with pytest.raises(UserError, match="larger than 1,000 bytes"):
        revision.read_file("big", max_size=1000)
    content, left = revision.read_tree(max_size=1000)
    assert "big" not in content
    assert [(entry.path, entry.fault) for entry in left] == [("big", "larger than 1,000 bytes")]


def test_blobs_that_are_missing_or_no_blobs_are_an_error(tree):
    revision = tree.at("HEAD")
    assert revision.read_blobs([]) == {}
    with pytest.raises(UserError, match="no file content"):
        revision.read_blobs(["1" * 40])
    with pytest.raises(UserError, match="no file content"):
        revision.read_blobs([git(tree.root, "rev-parse", "HEAD^{tree}")])
    with pytest.raises(UserError, match="invalid object id"):
        revision.read_blobs(["HEAD:a\nHEAD:b"])


def test_empty_and_equal_blobs_come_back(tree):
    empty, other = blob(tree, b""), blob(tree, b"\n\n")
    blobs = tree.at("HEAD").read_blobs([empty, other, empty])
    assert blobs == {empty: b"", other: b"\n\n"}


def test_a_revision_that_is_not_there_is_an_error(tree):
    with pytest.raises(UserError, match="cannot read the revision"):
        Revision(tree.git, "1" * 40).list_files()


def test_a_bare_repository_is_read_alike(tree, tmp_path):
    git(tmp_path, "clone", "-q", "--bare", str(tree.root), "bare.git")
    revision = Mirror(tmp_path / "bare.git").at(tree.head())
    assert revision.list_files() == tree.at("HEAD").list_files()
    assert revision.read_tree() == tree.at("HEAD").read_tree()


def test_changed_paths_tell_added_modified_deleted_and_renamed(tree):
    base = tree.head()
    git(tree.root, "mv", "folder/b", "folder/é new")
    (tree.root / "a").write_text("changed")
    (tree.root / "folderish").unlink()
    (tree.root / "added").write_text("a file of its own\n")
    git(tree.root, "add", "-A")
    git(tree.root, "commit", "-qm", "second")
    changes = diff.changed_paths(tree.git, base, tree.head())
    assert [(change.status, change.path, change.old_path) for change in changes] == [
        ("M", "a", ""),
        ("A", "added", ""),
        ("R", "folder/é new", "folder/b"),
        ("D", "folderish", ""),
    ]
    assert changes[1].old_mode == "000000"
    assert changes[1].new_oid == git(tree.root, "rev-parse", "HEAD:added")
    assert diff.changed_paths(tree.git, base, base) == []


def test_a_comparison_with_nothing_is_an_error(tree):
    for bad in ("1" * 40, "--stdin", "nowhere"):
        with pytest.raises(UserError):
            diff.changed_paths(tree.git, tree.head(), bad)


def branches(tree, ours, theirs):
    """Two branches from the same commit, each with these files written."""
    heads = []
    base = tree.head()
    for files in (ours, theirs):
        git(tree.root, "checkout", "-q", "--detach", base)
        for path, text in files.items():
            (tree.root / path).write_text(text)
        git(tree.root, "add", "-A")
        git(tree.root, "commit", "-qm", "x")
        heads.append(tree.head())
    git(tree.root, "switch", "-q", "main")
    return heads


def test_a_merge_gives_a_tree_that_can_be_read_and_changes_nothing(tree):
    base, head = branches(tree, {"folder/b": "ours\n"}, {"new": "theirs\n"})
    (tree.root / "a").write_text("edited")
    before = git(tree.root, "status", "--porcelain"), tree.head()
    result = diff.merge_tree(tree.git, base, head)
    assert result.conflicts == ()
    merged = Revision(tree.git, result.tree)
    assert merged.read_file("folder/b") == b"ours\n"
    assert merged.read_file("new") == b"theirs\n"
    assert (git(tree.root, "status", "--porcelain"), tree.head()) == before


def test_a_conflict_names_its_paths(tree):
    base, head = branches(tree, {"folder/b": "ours\n", "é": "1"}, {"folder/b": "hm\n", "é": "2"})
    result = diff.merge_tree(tree.git, base, head)
    assert result == diff.MergeResult(None, ("folder/b", "é"))


def test_histories_without_a_common_commit_do_not_merge(tree):
    other = commit_of(tree, [("100644", "blob", blob(tree), b"x")])
    with pytest.raises(UserError, match="cannot merge"):
        diff.merge_tree(tree.git, tree.head(), other)


def test_entries_are_ordered_by_path():
    assert Entry("a", "100755", "2", 9) < Entry("b", "100644", "1", 1)
