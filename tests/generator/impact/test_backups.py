"""What a change does to backups: those that stop, move, or get other readers."""

from generator.manifests import backups
from tests.generator.impact.builders import found
from tests.generator.manifests.test_backups import RECIPIENT, VOLUME, with_backup
from tests.repositories import PRODUCTION, STAGING, release

SECOND = "age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg"


def made(text):
    return list(backups.MANIFEST.objects(release(text)))


def seen(base, head):
    texts = (base, head)
    return {
        (item.rule, item.severity.value)
        for item in found(*map(made, texts))
        if item.rule.startswith("impact/backup")
    }


def test_backups_that_go_or_rest_are_told():
    stops = {("impact/backup-stops", "warning")}
    assert seen(with_backup(), PRODUCTION) == stops
    assert seen(with_backup(), with_backup(more=", suspend: true")) == stops
    assert seen(with_backup(), with_backup(more=", drill: null")) == stops
    assert seen(PRODUCTION, with_backup()) == set()
    assert seen(with_backup(), with_backup(more=", schedule: '0 3 * * *'")) == set()


def test_another_storage_leaves_the_older_backups_behind():
    moves = {("impact/backup-moves", "warning")}
    assert seen(with_backup(), with_backup(storage="{volume: {claim: other}}")) == moves
    bucket = "{s3: {bucket: one}}"
    assert seen(with_backup(STAGING, VOLUME), with_backup(STAGING, bucket)) == moves
    other = "{s3: {bucket: one, prefix: x}}"
    assert seen(with_backup(STAGING, bucket), with_backup(STAGING, other)) == moves


def test_other_keys_are_told_and_a_change_of_all_is_a_warning():
    both = with_backup().replace(RECIPIENT, f"{RECIPIENT}, {SECOND}")
    only = with_backup().replace(RECIPIENT, SECOND)
    assert seen(with_backup(), both) == {("impact/backup-readers", "info")}
    assert seen(both, only) == {("impact/backup-readers", "info")}
    assert seen(with_backup(), only) == {("impact/backup-readers", "warning")}
