import dataclasses

import pytest

from generator.definition import lock_file
from generator.definition.lock_file import Lock
from generator.yaml.errors import YamlError
from tests.repositories import DEV, changed, release

LOCK = Lock("airflow", "airflow-dev", "1.22.0", "sha256:" + "a" * 64, lock_file.version())


def test_a_lock_reads_back_as_it_was_written():
    assert lock_file.read(LOCK.text().encode(), "x") == LOCK
    unknown = Lock("airflow", "airflow-dev", "1.22.0", None, "0.1.0")
    assert lock_file.read(unknown.text().encode(), "x") == unknown


@pytest.mark.parametrize(
    "text", [b"", b"kind: Other\n", b"- 1\n", b"x: [\n", b"kind: Lock\nkind: Lock\n"]
)
def test_what_is_no_lock_is_refused(text):
    with pytest.raises(YamlError) as raised:
        lock_file.read(text, "environments/dev/gen-env.lock")
    assert raised.value.path == "environments/dev/gen-env.lock"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"kind: Lock\nreleaseName: [a]\n", 2),
        (b"kind: Lock\nnamespace: {a: b}\n", 2),
        (b"kind: Lock\nreleaseName: a\nchart: text\n", 3),
        (b"kind: Lock\nchart:\n  digest: [1]\n", 3),
        (b"kind: Lock\ngenEnv: {a: b}\n", 2),
    ],
)
def test_odd_values_are_refused_rather_than_overwritten(text, line):
    with pytest.raises(YamlError, match="not a gen-env lock") as raised:
        lock_file.read(text, "x")
    assert (raised.value.line, raised.value.hint) == (line, "restore it from git")


def test_what_is_missing_in_a_lock_forbids_nothing():
    bare = lock_file.read(b"kind: Lock\nchart:\n", "x")
    assert bare == Lock("", "", "", None, "")
    assert list(lock_file.faults(bare, release(DEV).resolved)) == []


def faults(lock, text=DEV):
    return [(item.rule, item.line) for item in lock_file.faults(lock, release(text).resolved)]


def test_what_is_locked_may_not_change():
    assert faults(LOCK) == []
    moved = changed(DEV, ("main}", "main, namespace: b, releaseName: c}"))
    assert faults(LOCK, moved) == [("lock/frozen", 4), ("lock/frozen", 4)]
    assert faults(Lock("", "", "1.21.0", None, "")) == []


def test_an_environment_does_not_move_to_another_cluster():
    here = release(DEV).resolved.cluster.server
    there = dataclasses.replace(LOCK, server="https://elsewhere:6443")
    assert lock_file.read(there.text().encode(), "x") == there
    assert faults(dataclasses.replace(LOCK, server=here)) == []
    (item,) = lock_file.faults(there, release(DEV).resolved)
    assert item.rule == "lock/frozen" and "deployed on https://elsewhere:6443" in item.message


@pytest.mark.parametrize(
    ("made_by", "refused"),
    [("99.0.0", True), ("99.0.0.dev1+abc", True), (lock_file.version(), False), ("0.0.9", False),
     ("", False), ("rubbish", False)],
)  # fmt: skip
def test_a_tree_of_a_newer_gen_env_is_refused(made_by, refused):
    lock = Lock("airflow", "airflow-dev", "1.22.0", None, made_by)
    assert [rule for rule, _ in faults(lock)] == (["lock/newer-gen-env"] if refused else [])
