"""Short digests, marks inside lines, images shown once: none of them hides a difference."""

import dataclasses

import pytest

from generator.diff.model import Action, Change
from generator.kube.resource import Key
from generator.report import alike, digests
from generator.report.marks import marked
from generator.report.model import EnvironmentDiff, Report

ONE = "a" * 64
OTHER = "b" * 64
TWIN = "a" * 12 + "c" * 52


def change(diff, name="x", **given):
    key = Key("apps", "Deployment", "n", name)
    return Change(Action.MODIFIED, key, "apps/v1", diff, old_api_version="apps/v1", **given)


def report(diff):
    return Report("b", "h", (EnvironmentDiff("e", changes=(change(diff),)),))


def shown(diff):
    return digests.shortened(report(diff)).environments[0].changes[0].diff


def test_digests_are_shortened_while_they_differ():
    assert shown(f"-i@sha256:{ONE}\n+i@sha256:{OTHER}") == (
        f"-i@sha256:{ONE[:12]}…\n+i@sha256:{OTHER[:12]}…"
    )


def test_digests_that_begin_alike_stay_whole_in_the_whole_report():
    text = f"-i@sha256:{ONE}\n+i@sha256:{TWIN}\n x@sha256:{OTHER}"
    assert shown(text) == text


def test_commits_are_shortened_and_longer_words_are_not():
    assert shown(f"-ref: {'d' * 40}\n+ref: {'e' * 41}") == f"-ref: {'d' * 12}…\n+ref: {'e' * 41}"


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("-  tag: 3.2.1", "+  tag: 3.2.2", ("3.2.1", "3.2.2")),
        ("-  image: r/a:1", "+  image: r/b:1", ("a", "b")),
        ("-a: x", "+a: x y", ("x", "x y")),
        ("-  a: 1", "+  b: 2", ("", "")),
        ("-", "+", ("", "")),
        ("-x" * 1, "+xx", ("", "")),
    ],
)
def test_the_words_that_differ_are_marked(old, new, parts):
    (one, start, end), (other, first, last) = marked(f"{old}\n{new}")
    assert (one, other) == (old, new)
    assert (one[start:end], other[first:last]) == parts


def test_every_line_is_there_once_whatever_stands_beside_what():
    diff = "@@ x\n a\n-b\n-c\n+d\n+e\n+f\n-g\n h\n+i\n-k 1\n+k 2"
    assert [line for line, _, _ in marked(diff)] == diff.split("\n")
    assert [start > 0 for _, start, _ in marked(diff)][-2:] == [True, True]


IMAGE = "@@ -1 +1 @@ spec\n-  - image: r/i:1\n+  - image: r/i:2"


def test_the_same_images_in_several_objects_are_one_group():
    first, other = change(IMAGE), change(IMAGE.replace("  - ", "    "), "y")
    assert alike.grouped([first, other]) == [(first, (other,))]


@pytest.mark.parametrize(
    "given",
    [
        change(f"{IMAGE}\n-  replicas: 1\n+  replicas: 2", "y"),
        change(IMAGE.replace("r/i:2", "r/i:3"), "y"),
        change(IMAGE.replace("-  -", "+  -", 1), "y"),
        change(f"{IMAGE}\n# 9 more lines of this diff are not shown", "y"),
        change(IMAGE.replace("image:", "value:"), "y"),
        change(IMAGE, "y", old_key=Key("apps", "Deployment", "n", "z")),
        dataclasses.replace(change(IMAGE, "y"), old_api_version="apps/v1beta1"),
    ],
)
def test_what_differs_in_anything_else_stands_alone(given):
    assert alike.grouped([change(IMAGE), given])[1] == (given, ())
