from pathlib import Path

import pytest

from generator.core.errors import UserError
from generator.tree import writer
from generator.tree.plan import Plan


@pytest.fixture
def root(tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "old/a.yaml").write_text("a\n")
    (tmp_path / "old/b.yaml").write_text("b\n")
    return tmp_path


PLAN = Plan({"old/a.yaml": "A\n", "new/deep/c.yaml": "C\n", "new/d.yaml": "D\n"}, ("old/b.yaml",))


def state(root):
    return {
        path.relative_to(root).as_posix(): path.read_text() if path.is_file() else None
        for path in sorted(root.rglob("*"))
    }


def test_a_plan_is_carried_out_and_nothing_else_is_left(root):
    writer.apply(root, PLAN)
    assert state(root) == {
        "new": None, "new/d.yaml": "D\n", "new/deep": None, "new/deep/c.yaml": "C\n",
        "old": None, "old/a.yaml": "A\n",
    }  # fmt: skip


def test_folders_that_became_empty_go_and_the_root_stays(root):
    writer.apply(root, Plan({}, ("old/a.yaml", "old/b.yaml")))
    assert state(root) == {} and root.is_dir()


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ValueError, UserError])
def test_a_block_that_fails_puts_everything_back(root, error):
    before = state(root)
    arguments = ["x"] if error is not KeyboardInterrupt else []
    with pytest.raises(error), writer.reversible(root, PLAN):
        assert (root / "old/a.yaml").read_text() == "A\n"
        assert not (root / "old/b.yaml").exists()
        raise error(*arguments)
    assert state(root) == before


@pytest.mark.parametrize("method", ["replace", "hardlink_to", "unlink", "mkdir", "chmod"])
@pytest.mark.parametrize("number", range(4))
def test_any_step_that_fails_puts_everything_back(root, monkeypatch, method, number):
    before = state(root)
    original = getattr(Path, method)
    left = [number]

    def failing(self, *arguments, **options):
        left[0] -= 1
        if left[0] == -1 and not (method == "unlink" and ".gen-env-" in self.name):
            raise KeyboardInterrupt
        return original(self, *arguments, **options)

    monkeypatch.setattr(Path, method, failing)
    try:
        writer.apply(root, PLAN)
        interrupted = False
    except KeyboardInterrupt:
        interrupted = True
    monkeypatch.undo()
    if interrupted:
        assert state(root) == before
    else:
        assert "new/deep/c.yaml" in state(root)


def test_a_file_system_without_hard_links_is_served_by_copies(root, monkeypatch):
    before = state(root)

    def refused(self, target):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refused)
    with pytest.raises(ValueError), writer.reversible(root, PLAN):
        raise ValueError
    assert state(root) == before
    writer.apply(root, PLAN)
    assert (root / "old/a.yaml").read_text() == "A\n"
    assert not [name for name in state(root) if ".gen-env" in name]


def test_what_the_disk_refuses_is_a_users_error_with_its_place(root):
    (root / "old/a.yaml").unlink()
    (root / "old/a.yaml").mkdir()
    before = state(root)
    with pytest.raises(UserError) as raised:
        writer.apply(root, PLAN)
    assert raised.value.message.startswith("cannot write: ")
    assert "nothing was changed" in raised.value.hint
    assert state(root) == before


@pytest.mark.parametrize("path", ["../out.yaml", "old/../../out.yaml", "/tmp/out.yaml"])
def test_a_path_that_leads_out_is_refused(root, path):
    before = state(root)
    with pytest.raises(UserError, match="outside the repository"):
        writer.apply(root, Plan({"new/d.yaml": "D\n", path: "x"}))
    assert state(root) == before
    assert not (root.parent / "out.yaml").exists()


@pytest.mark.parametrize("path", ["link/x.yaml", "old/link.yaml"])
def test_links_are_not_followed(root, tmp_path_factory, path):
    outside = tmp_path_factory.mktemp("outside")
    (root / "link").symlink_to(outside)
    (root / "old/link.yaml").symlink_to(outside / "file.yaml")
    before = state(root)
    for plan in (Plan({"new/d.yaml": "D\n", path: "x"}), Plan({"new/d.yaml": "D\n"}, (path,))):
        with pytest.raises(UserError, match="symbolic link"):
            writer.apply(root, plan)
        assert state(root) == before
    assert list(outside.iterdir()) == []


def test_an_empty_plan_touches_nothing(root):
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    writer.apply(root, Plan({}))
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before


def test_the_rights_of_a_file_stay_and_new_ones_are_readable(root):
    (root / "old/a.yaml").chmod(0o640)
    writer.apply(root, PLAN)
    assert (root / "old/a.yaml").stat().st_mode & 0o777 == 0o640
    assert (root / "new/d.yaml").stat().st_mode & 0o777 == 0o644
