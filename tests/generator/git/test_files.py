"""A commit's files answer as a work tree's do, and are read only when they are asked for."""

import subprocess
import threading
from pathlib import Path

import pytest

from generator.core.errors import UserError
from generator.core.files import MAX_BYTES, WorkTree
from generator.git.files import GitFiles
from generator.git.objects import Objects
from generator.git.revision import Revision
from generator.git.worktree import Worktree


def git(root, *arguments, stdin=b""):
    identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
    done = subprocess.run(
        ["git", "-C", root, *identity, *arguments], capture_output=True, input=stdin
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.decode().strip()


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "repo"
    (folder / "in/a/b").mkdir(parents=True)
    git(folder, "init", "-q")
    (folder / "in/a/one").write_bytes(b"one\r\n\x00\xff")
    (folder / "in/a/b/two").write_text("")
    (folder / "in/ab").write_text("x\n\n")
    (folder / "in/a/link").symlink_to("one")
    (folder / "in/linked").symlink_to("a")
    (folder / "in/ü [x]").write_text("odd name")
    (folder / "out").write_text("out")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "all")
    return folder


def opened(root, prefix="", listed=(), revision="HEAD"):
    return GitFiles(Worktree.find(root).at(revision), prefix, listed)


@pytest.mark.parametrize("listed", [(), ("a", "ab"), ("",), ("a", "nowhere")])
def test_a_commit_answers_like_the_work_tree_it_was_made_from(root, listed):
    there = WorkTree(root / "in")
    with opened(root, "in/", listed) as files:
        for folder in ("", "a", "a/b", "linked", "nowhere"):
            assert files.below(folder) == list(there.below(folder))
            assert files.links(folder) == list(there.links(folder))
        paths = ["a", "a/one", "a/b/two", "ab", "a/link", "linked/one", "nowhere", "ü [x]", "out"]
        assert {path: files.read(path) for path in paths} == {p: there.read(p) for p in paths}


def test_names_are_listed_once_and_only_what_is_asked_for_is_read(root, monkeypatch):
    asked = []
    list_names = Revision.list_names

    def noted(self, *under, **options):
        asked.append(under)
        return list_names(self, *under, **options)

    monkeypatch.setattr(Revision, "list_names", noted)
    oid = git(root, "rev-parse", "HEAD:in/ab")
    Path(root, ".git/objects", oid[:2], oid[2:]).unlink()
    with opened(root, "", ("in",)) as files:
        assert len(files.below("in/a")) == 2 and files.read("in/a/one") == b"one\r\n\x00\xff"
        assert files.read("in/a/one") and files.links("in")
        with pytest.raises(UserError, match="git has no file content") as raised:
            files.read("in/ab")
        assert raised.value.path == "in/ab"
        assert files.read("in/a/b/two") == b"", "the next one is read all the same"
    assert asked == [("in",)]


def test_a_file_that_is_too_large_is_refused_and_the_next_is_read(root):
    (root / "big").write_bytes(b"x" * (MAX_BYTES + 1))
    git(root, "add", "big")
    git(root, "commit", "-qm", "big")
    with opened(root) as files:
        with pytest.raises(UserError, match="larger than 4 MiB") as raised:
            files.read("big")
        assert raised.value.path == "big"
        assert files.read("out") == b"out"


def test_a_git_that_is_killed_is_started_again(root):
    objects = Objects(Worktree.find(root).git)
    oid = git(root, "rev-parse", "HEAD:out")
    assert objects.read(oid, max_size=10) == b"out"
    objects._process.kill()
    objects._process.wait()
    with pytest.raises(UserError, match="git ended"):
        objects.read(oid, max_size=10)
    assert objects.read(oid, max_size=10) == b"out"
    assert objects.read(oid, max_size=2) is None
    with pytest.raises(UserError, match="no file content"):
        objects.read(git(root, "rev-parse", "HEAD:in"), max_size=1000)
    objects.close()
    objects.close()


def test_several_threads_read_at_once(root):
    objects = Objects(Worktree.find(root).git)
    oids = {name: git(root, "rev-parse", f"HEAD:{name}") for name in ("out", "in/ab", "in/a/b/two")}
    want = {"out": b"out", "in/ab": b"x\n\n", "in/a/b/two": b""}
    found = []

    def read():
        for _ in range(30):
            found.append({name: objects.read(oid, max_size=99) for name, oid in oids.items()})

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    objects.close()
    assert found == [want] * 120
