import pytest

from generator.core.errors import UserError
from generator.core.files import MAX_BYTES, Overlay, Snapshot, WorkTree


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/two.yaml").write_text("2")
    (tmp_path / "a/one.yaml").write_text("1")
    (tmp_path / "z.yaml").write_text("z")
    (tmp_path / "a/link.yaml").symlink_to(tmp_path / "z.yaml")
    (tmp_path / "a/linked").symlink_to(tmp_path)
    return WorkTree(tmp_path)


def test_regular_files_are_read_and_nothing_else(tree):
    assert tree.read("a/one.yaml") == b"1"
    for path in ("a", "nowhere", "a/link.yaml", "a/linked/z.yaml", "a/one.yaml/x"):
        assert tree.read(path) is None


def test_files_below_a_folder_are_sorted_and_links_apart(tree):
    assert list(tree.below("a")) == ["a/b/two.yaml", "a/one.yaml"]
    assert list(tree.links("a")) == ["a/link.yaml", "a/linked"]
    assert list(tree.below("nowhere")) == []
    assert list(tree.below("a/linked")) == [] and list(tree.links("a/linked")) == ["a/linked"]


def test_a_file_that_is_too_large_is_refused(tree):
    (tree.root / "big").write_bytes(b"x" * (MAX_BYTES + 1))
    with pytest.raises(UserError) as raised:
        tree.read("big")
    assert raised.value.path == "big" and "4 MiB" in raised.value.message


def test_a_snapshot_answers_like_a_work_tree(tree):
    contents = {path: tree.read(path) for path in tree.below("")}
    held = Snapshot(contents, tuple(tree.links("")))
    for folder in ("", "a", "a/b", "nowhere"):
        assert list(held.below(folder)) == list(tree.below(folder))
        assert list(held.links(folder)) == list(tree.links(folder))
    assert held.read("a") is None


def test_a_folder_is_no_prefix_of_a_name():
    assert list(Snapshot({"ab/x": b"", "a/x": b""}).below("a")) == ["a/x"]


def test_an_overlay_shows_what_a_plan_would_leave(tree):
    ahead = Overlay(tree, {"a/new.yaml": b"n", "a/one.yaml": b"9"}, frozenset({"a/b/two.yaml"}))
    assert list(ahead.below("a")) == ["a/new.yaml", "a/one.yaml"]
    assert ahead.read("a/one.yaml") == b"9" and ahead.read("a/new.yaml") == b"n"
    assert ahead.read("a/b/two.yaml") is None and ahead.read("z.yaml") == b"z"
    assert ahead.links("a") == list(tree.links("a"))
    assert tree.read("a/one.yaml") == b"1"
