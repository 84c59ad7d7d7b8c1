"""Upgrades between versions of the official chart: the order, the keys, and what stays the same."""

import re

import pytest
import yaml

from generator.actions.upgrades.route import State, route
from generator.actions.upgrades.values import moved, moves
from generator.chart import key_table
from generator.chart.cache import ChartCache
from tests import chart_range
from tests.made_up_chart import files_of, made_up
from tests.repositories import DEV, STAGING, changed, repository
from tests.standin_chart import stand_in_archive

ROUTES = {
    "the chart alone": ("1.16.0 2.11.0", "1.22.0 2.11.0", ["1.22.0 2.11.0"]),
    "Airflow before a chart that refuses the old one": (
        *("1.15.0 2.9.3", "1.22.0 2.11.0"),
        ["1.15.0 2.11.0", "1.22.0 2.11.0"],
    ),
    "a chart that runs both before Airflow 3": (
        *("1.15.0 2.9.3", "1.22.0 3.2.2"),
        ["1.19.0 2.9.3", "1.19.0 3.2.2", "1.22.0 3.2.2"],
    ),
    "Airflow 3 from 2.7 and later alone": (
        *("1.6.0 2.3.0", "1.22.0 3.2.2"),
        ["1.6.0 2.11.0", "1.22.0 2.11.0", "1.22.0 3.2.2"],
    ),
    "the chart before Airflow 3": (
        *("1.16.0 2.10.5", "1.17.0 3.0.2"),
        ["1.17.0 2.10.5", "1.17.0 3.0.2"],
    ),
    "nothing to do": ("1.22.0 3.2.2", "1.22.0 3.2.2", []),
    "no way to what cannot run": ("1.15.0 2.9.3", "1.16.0 3.2.2", []),
    "a chart that nobody has seen": ("1.22.0 3.2.2", "1.23.0 3.2.2", ["1.23.0 3.2.2"]),
}


def _state(text):
    return State(*text.split())


@pytest.mark.parametrize("name", ROUTES)
def test_each_step_of_the_order_is_one_that_its_chart_runs(name):
    start, goal, steps = ROUTES[name]
    found = route(_state(start), _state(goal), key_table.traits)
    assert [" ".join(state) for state in found] == steps


KEYS = {
    "to both sections of workers": (
        *("1.22.0", {"workers": {"labels": {"a": "b"}}}),
        {"workers": {"celery": {"labels": {"a": "b"}}, "kubernetes": {"labels": {"a": "b"}}}},
    ),
    "not to sections that merge only in part": (
        *("1.19.0", {"workers": {"keda": {"enabled": True}}}),
        {"workers": {"keda": {"enabled": True}}},
    ),
    "back to an older chart": (
        *("1.18.0", {"workers": {"celery": {"persistence": {"enabled": True}}}}),
        {"workers": {"persistence": {"enabled": True}}},
    ),
    "a part that goes elsewhere, and no section that is left empty": (
        *("1.22.0", {"webserver": {"defaultUser": {"enabled": False}}}),
        {"createUserJob": {"enabled": False}},
    ),
    "a part that goes elsewhere than the rest": (
        *("1.22.0", {"webserver": {"defaultUser": {"enabled": False, "role": "Op"}}}),
        {"createUserJob": {"enabled": False, "defaultUser": {"role": "Op"}}},
    ),
    "a context of pods, and git-sync's, which is its container's": (
        "1.22.0",
        {
            "scheduler": {"securityContext": {"runAsUser": 1}},
            "dags": {"gitSync": {"securityContext": {"runAsUser": 2}}},
            "workers": {"securityContext": {"runAsUser": 3}},
        },
        {
            "scheduler": {"securityContexts": {"pod": {"runAsUser": 1}}},
            "dags": {"gitSync": {"securityContexts": {"container": {"runAsUser": 2}}}},
            "workers": {
                name: {"securityContexts": {"pod": {"runAsUser": 3}}}
                for name in ("celery", "kubernetes")
            },
        },
    ),
    "a context of workers where the sections are not there": (
        *("1.18.0", {"workers": {"securityContext": {"runAsUser": 3}}}),
        {"workers": {"securityContexts": {"pod": {"runAsUser": 3}}}},
    ),
    "not over what is written there": (
        *("1.22.0", {"workers": {"args": ["a"], "celery": {"args": ["b"]}}}),
        {"workers": {"args": ["a"], "celery": {"args": ["b"]}}},
    ),
}


@pytest.mark.parametrize("name", KEYS)
def test_keys_of_values_move_to_the_names_that_the_chart_reads(name):
    version, values, expected = KEYS[name]
    text = "# kept\n" + yaml.safe_dump({"values": values})
    wanted = list(moves(values, key_table.traits(version)))
    after = moved(text, wanted, "environment.yaml")
    assert yaml.safe_load(after)["values"] == expected
    assert after.startswith("# kept\n")


def test_a_chart_that_nobody_has_seen_is_upgraded_to_and_verified(tmp_path, monkeypatch):
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(tmp_path / "charts"))
    cache, known = ChartCache(tmp_path / "charts"), stand_in_archive(tmp_path)
    newer = made_up(
        *(tmp_path, "1.23.0"),
        files=files_of(known),
        added={"triggerer.gateway": {}, "lanes": {"enabled": False}},
    )
    for archive in (known, newer):
        cache.add(archive)
    repo = repository(tmp_path / "repo", dev=DEV)
    assert repo.run("generate").code == 0
    before = repo.read("environments/dev/generated/values.yaml")
    done = repo.run("upgrade", "dev", "--chart", "1.23.0")
    assert done.code == 0, done.said
    assert done.stderr.count("[chart/not-tried]") == 1
    assert "objects as before" in done.stdout and "0 added, 0 removed" in done.stdout
    assert repo.read("environments/dev/generated/values.yaml") == before
    said = repo.run("validate", "dev").said
    assert "[chart/not-tried]" in said and "error" not in said.replace("no errors", "")


OLD_IMAGES = {
    "by its tag alone": (*("2.11.2", ["--chart", "1.22.0"]), ["image", "--chart 1.22.0"]),
    "with a newer Airflow asked for": (
        *("2.11.2", ["--chart", "1.22.0", "--airflow", "3.1.0"]),
        ["image", "--chart 1.22.0", "--airflow 3.1.0"],
    ),
    "as airflow.version": (
        *("2.5.3", ["--chart", "1.22.0"]),
        ["--airflow 2.11.0", "image", "--chart 1.22.0"],
    ),
    "none that the chart refuses": ("2.5.3", ["--chart", "1.13.1"], []),
}


@pytest.mark.thorough
@pytest.mark.parametrize("name", OLD_IMAGES)
def test_an_image_older_than_the_chart_runs_is_replaced_before(name, tmp_path, monkeypatch):
    airflow, asked, steps = OLD_IMAGES[name]
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(tmp_path / "charts"))
    for version in ("1.9.0", "1.13.1", "1.22.0"):
        ChartCache(tmp_path / "charts").add(chart_range.archive(version).path)
    text = changed(
        DEV,
        ("version: 1.22.0", "version: 1.9.0"),
        ("version: 3.2.2", f"version: {airflow}"),
        ("auth: {defaultUser: {}}", "image: {repository: r.example.com/airflow, tag: 2.5.3-r1}"),
    )
    repo = repository(tmp_path / "repo", dev=text)
    assert repo.run("generate").code == 0
    before = repo.tree()
    done = repo.run("upgrade", "dev", *asked)
    found = re.findall(r"^  \d\. (?:gen-env upgrade dev |(image)\.tag: )(.*)$", done.stdout, re.M)
    assert [image or command for image, command in found if image or "--" in command] == steps
    assert done.code == bool(steps) and (repo.tree() == before) == bool(steps)
    assert done.stderr.count("[chart/airflow]") == bool(steps)
    assert ("the image holds 2.5.3, by the tag" in done.stderr) == (airflow == "2.11.2")


def test_an_image_whose_tag_names_no_release_is_said_to_be_unread(tmp_path, monkeypatch):
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(tmp_path / "charts"))
    old = changed(DEV, ("version: 1.22.0", "version: 1.20.0"))
    text = old + "image: {repository: r.example.com/airflow, tag: stable}\n"
    repo = repository(tmp_path / "repo", dev=text)
    said = repo.run("upgrade", "dev", "--chart", "1.22.0").stdout
    assert "chart 1.22.0 needs an image with Airflow 2.11.0 or later" in said
    assert 'the tag "stable" names no release' in said


def _airflow(version):
    minor = int(version.split(".")[1])
    return "2.9.3" if minor < 16 else "2.11.0"


SAMPLES = {
    "dev": changed(DEV, ("auth: {defaultUser: {}}\n", "")),
    "staging": re.sub("(?m)^auth: .*$", "auth: {}", STAGING),
}


@chart_range.each_version
@pytest.mark.parametrize("name", SAMPLES)
def test_each_chart_is_upgraded_to_the_newest_with_a_proof_or_in_steps(
    version, name, tmp_path, monkeypatch
):
    cache = ChartCache(tmp_path / "charts")
    for each in {version, "1.22.0"}:
        cache.add(chart_range.archive(each).path)
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(tmp_path / "charts"))
    airflow = _airflow(version)
    text = SAMPLES[name].replace("1.22.0", version).replace("3.2.2", airflow)
    path = f"environments/{name}/environment.yaml"
    repo = repository(tmp_path / "repo", **{name: text})
    assert repo.run("generate").code == 0
    done = repo.run("upgrade", name, "--chart", "1.22.0")
    if airflow == "2.9.3":
        assert done.code == 1
        assert done.stderr.count("[chart/airflow]") == 1
        assert repo.yaml(path)["chart"]["version"] == version
        steps = re.findall(r"^  \d\. (.*)$", done.stdout, re.M)
        image = ["image.tag: set an image with Airflow 2.11.0 or later"] * (name == "staging")
        assert [item.partition(";")[0] for item in steps] == [
            f"gen-env upgrade {name} --airflow 2.11.0",
            *image,
            f"gen-env upgrade {name} --chart 1.22.0",
        ]
        assert (first := repo.run("upgrade", name, "--airflow", "2.11.0")).code == 0, first.said
        if image:
            repo.edit(path, "tag: 2.9.3-r1", "tag: 2.11.0-r1")
        done = repo.run("upgrade", name, "--chart", "1.22.0")
    assert done.code == 0, done.said
    assert "objects as before" in done.stdout
    assert f"    = Service airflow-{name}/airflow-statsd" in done.stdout
    assert repo.yaml(f"environments/{name}/gen-env.lock")["chart"]["version"] == "1.22.0"
    assert repo.run("generate", "--check").code == 0
