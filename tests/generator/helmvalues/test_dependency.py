"""Whose values a file holds, where a Chart.yaml beside it says so."""

import textwrap

import pytest

from generator.core.basis import Origin
from generator.core.files import Snapshot
from generator.helmvalues.read import load

OFFICIAL = "https://airflow.apache.org"


def source(texts, path="deploy/values.yaml"):
    contents = {name: textwrap.dedent(text).encode() for name, text in texts.items()}
    [found] = load(Snapshot(contents), path)
    return found


def chart(*dependencies, name="platform", **more):
    rows = "".join(f"\n  - {row}" for row in dependencies)
    extra = "".join(f"\n{key}: {value}" for key, value in more.items())
    return f"apiVersion: v2\nname: {name}\nversion: 3.1.4{extra}\ndependencies:{rows or ' []'}\n"


def dependency(version="1.20.0", repository=OFFICIAL, **more):
    extra = "".join(f", {key}: {value}" for key, value in more.items())
    return f'{{name: airflow, version: "{version}", repository: "{repository}"{extra}}}'


def beside(values, *dependencies, **files):
    return source(
        {"deploy/values.yaml": values, "deploy/Chart.yaml": chart(*dependencies), **files}
    )


def test_a_dependency_names_version_and_block():
    found = beside("airflow: {executor: LocalExecutor}\n", dependency())
    assert (found.key, found.values) == ("airflow", {"executor": "LocalExecutor"})
    assert (found.chart.version, found.chart.origin) == ("1.20.0", Origin.CHART_YAML)
    assert found.locate(("executor",)) == ("deploy/values.yaml", 1)


def test_an_alias_is_the_block_that_counts():
    values = "orchestrator:\n  executor: CeleryExecutor\nairflow: {executor: LocalExecutor}\n"
    found = beside(values, dependency(alias="orchestrator"))
    assert (found.key, found.values) == ("orchestrator", {"executor": "CeleryExecutor"})


def test_values_without_the_block_are_empty_and_not_those_of_the_chart():
    found = beside("ingress: {enabled: true}\n", dependency())
    assert found.usable and found.values == {} and found.problems == ()


def test_global_values_reach_the_block():
    found = beside("global: {zone: a}\nairflow: {global: {tier: b}}\n", dependency())
    assert found.values == {"global": {"tier": "b", "zone": "a"}}


@pytest.mark.parametrize("wanted", ["1.20.*", "~1.20", ">=1.20.0 <2", "1"])
def test_a_range_is_no_version_unless_the_lock_file_says_which(wanted):
    open_ended = beside("airflow: {}\n", dependency(wanted))
    assert not open_ended.chart.version and open_ended.parent.range == wanted
    assert [item.what for item in open_ended.not_read] == ["chart version"]
    lock = "dependencies:\n- {name: airflow, repository: REPO, version: 1.20.0}\n"
    files = {"deploy/Chart.lock": lock.replace("REPO", OFFICIAL)}
    locked = beside("airflow: {}\n", dependency(wanted), **files)
    assert (locked.chart.version, locked.chart.origin) == ("1.20.0", Origin.CHART_LOCK)
    assert locked.not_read == ()


def test_a_lock_file_of_another_repository_says_nothing():
    lock = (
        "dependencies:\n- {name: airflow, repository: https://other.example.com, version: 1.2.3}\n"
    )
    found = beside("airflow: {}\n", dependency("1.x"), **{"deploy/Chart.lock": lock})
    assert not found.chart.version


@pytest.mark.parametrize(
    ("repository", "title"),
    [
        ("https://airflow-helm.github.io/charts", "community"),
        ("oci://registry-1.docker.io/bitnamicharts", "Bitnami"),
    ],
)
def test_a_chart_of_another_publisher_is_declined_by_its_repository(repository, title):
    found = beside("airflow: {executor: CeleryExecutor}\n", dependency("8.9.0", repository))
    [problem] = found.problems
    assert not found.usable
    assert problem.rule == "values/other-chart" and title in problem.message


def test_a_mirror_may_serve_any_chart_and_the_keys_decide():
    mirror = "oci://registry.example.com/charts"
    ours = beside(
        "airflow: {executor: LocalExecutor, dagProcessor: {}}\n", dependency("1.20.0", mirror)
    )
    theirs = beside("airflow: {airflow: {legacyCommands: true}}\n", dependency("8.9.0", mirror))
    assert ours.usable and not theirs.usable


@pytest.mark.parametrize(
    ("address", "named"),
    [
        (OFFICIAL, False),
        (f"{OFFICIAL}/", False),
        ("https://charts.example.com/apache", False),  # as gen-env.yaml has it
        ("https://airflow.apache.org.example.com", True),
        ("https://airflow.apache.org@example.com", True),
        ("http://airflow.apache.org", True),
        ("https://[evil", True),
        ("oci://registry.example.com/charts", True),
        ("file://../airflow", False),
    ],
)
def test_the_archive_of_another_repository_is_not_the_one_that_is_judged(address, named):
    parent = beside("airflow: {}\n", dependency(repository=address)).parent
    unread = parent.elsewhere("https://charts.example.com/apache/")
    assert bool(unread) is named


def test_a_folder_that_has_nothing_to_do_with_airflow_is_left_alone():
    found = beside("executor: LocalExecutor\n", "{name: redis, version: 1.0.0, repository: r}")
    assert not found.usable
    assert found.problems[0].rule == "values/no-values"
    assert found.problems[0].path == "deploy/Chart.yaml"


def test_the_chart_itself_carries_root_values():
    text = chart("{name: postgresql, version: 13.2.24, repository: r}", name="airflow")
    found = source({"deploy/values.yaml": "executor: LocalExecutor\n", "deploy/Chart.yaml": text})
    assert (found.key, found.chart.version) == ("", "3.1.4")


def test_a_condition_belongs_to_the_parent_and_may_switch_airflow_off():
    on = beside("airflow: {enabled: true}\n", dependency(condition="airflow.enabled"))
    assert on.usable and on.values == {}
    off = beside("airflow:\n  enabled: false\n", dependency(condition="airflow.enabled"))
    [problem] = off.problems
    assert not off.usable
    assert (problem.rule, problem.place) == ("values/switched-off", "deploy/values.yaml:2")


def test_tags_switch_it_off_where_no_condition_speaks():
    values = "tags: {data: false}\nairflow: {}\n"
    assert not beside(values, dependency(tags="[data]")).usable
    assert (
        beside(values, dependency(tags="[data, batch]")).problems[0].rule == "values/switched-off"
    )
    kept = "tags: {data: false, batch: true}\n"
    assert beside(kept, dependency(tags="[data, batch]")).usable
    condition = dependency(tags="[data]", condition="airflow.enabled")
    assert beside("tags: {data: false}\nairflow: {enabled: true}\n", condition).usable


def test_what_the_parent_deploys_beside_airflow_is_named():
    found = beside(
        "airflow: {}\n",
        dependency(),
        "{name: redis, alias: cache, version: 1.0.0, repository: r}",
        **{
            "deploy/templates/extra.yaml": "kind: ConfigMap\n",
            "deploy/crds/extra.yaml": "kind: CustomResourceDefinition\n",
            "deploy/charts/redis/Chart.yaml": OTHER.replace("airflow", "redis"),
            "deploy/charts/redis-1.0.0.tgz": "x",
        },
    )
    assert {item.what for item in found.not_read} == {
        "dependency cache",
        "templates of the parent chart",
        "CustomResourceDefinitions of the parent chart",
    }


@pytest.mark.parametrize("link", ["deploy/charts", "deploy/charts/airflow"])
def test_a_link_in_place_of_charts_is_named_as_not_read(link):
    texts = {"deploy/values.yaml": "airflow: {}\n", "deploy/Chart.yaml": chart(dependency())}
    contents = {path: text.encode() for path, text in texts.items()}
    files = Snapshot(contents, symlinks=(link,))
    (found,) = load(files, "deploy/values.yaml")
    assert [item.what for item in found.not_read] == [link.removeprefix("deploy/")]


def test_airflow_twice_is_said():
    found = beside("airflow: {}\n", dependency(), dependency(alias="second"))
    assert found.key == "airflow"
    assert [item.what for item in found.not_read] == ["dependency second"]


def test_dependencies_of_old_charts_stand_in_a_file_of_their_own():
    found = source(
        {
            "deploy/values.yaml": "airflow: {executor: LocalExecutor}\n",
            "deploy/Chart.yaml": "apiVersion: v1\nname: platform\nversion: 1.0.0\n",
            "deploy/requirements.yaml": f"dependencies:\n- {dependency()}\n",
        }
    )
    assert (found.key, found.chart.version) == ("airflow", "1.20.0")


def test_a_block_beside_root_keys_of_the_chart_is_misplaced():
    found = source(
        {"v.yaml": "executor: LocalExecutor\nairflow:\n  config: {core: {}}\n"}, "v.yaml"
    )
    assert found.values == {"executor": "LocalExecutor"}
    [problem] = found.problems
    assert (problem.rule, problem.place) == ("values/misplaced-block", "v.yaml:2")


OTHER = "apiVersion: v2\nname: airflow\nversion: 1.19.0\n"
LOCK = f"dependencies: [{{name: airflow, version: 1.19.0, repository: '{OFFICIAL}'}}]\n"
OLD = f"dependencies: [{{name: airflow, version: ^1.18.0, repository: '{OFFICIAL}'}}]\n"
DECIDES = {
    "a lock that differs": ({"deploy/Chart.lock": LOCK}, "", ["chart version"]),
    "a folder in charts/": (
        {"deploy/charts/airflow/Chart.yaml": OTHER}, "1.19.0", ["chart copy charts/airflow"]
    ),
    "a folder of another name": (
        {"deploy/charts/own/Chart.yaml": OTHER}, "1.19.0", ["chart copy charts/own"]
    ),
    "an archive in charts/": (
        {"deploy/charts/airflow-1.19.0.tgz": "x"},
        "1.19.0",
        ["chart copy charts/airflow-1.19.0.tgz"],
    ),
    "another chart in charts/": (
        {"deploy/charts/redis/Chart.yaml": OTHER.replace("airflow", "redis")},
        "1.20.0",
        ["chart charts/redis"],
    ),
    "an archive of another chart in charts/": (
        {"deploy/charts/redis-1.0.0.tgz": "x", "deploy/charts/README.md": "x"},
        "1.20.0",
        ["chart charts/redis-1.0.0.tgz"],
    ),
    "the lock of an old chart": (
        {
            "deploy/Chart.yaml": "apiVersion: v1\nname: p\nversion: 1.0.0\n",
            "deploy/requirements.yaml": OLD,
            "deploy/requirements.lock": LOCK,
        },
        "1.19.0",
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", DECIDES)
def test_the_version_is_the_one_that_helm_renders_or_it_is_not_known(what):
    files, version, unread = DECIDES[what]
    start = {"deploy/values.yaml": "airflow: {}\n", "deploy/Chart.yaml": chart(dependency())}
    found = source({**start, **files})
    assert found.chart_version == version
    assert [item.what for item in found.not_read] == unread


def test_a_copy_of_airflows_chart_is_not_taken_for_the_released_one():
    row = "{name: postgresql, version: 1.0.0, repository: x}"
    own = {"deploy/values.yaml": "uid: 1\n", "deploy/Chart.yaml": chart(row, name="airflow")}
    assert [item.what for item in source(own).not_read] == ["chart copy deploy"]
    found = beside("airflow: {}\n", dependency(repository="file://../airflow"))
    assert [item.what for item in found.not_read] == ["dependency airflow"]


@pytest.mark.parametrize(
    ("values", "key", "unread"),
    [
        ("a: {run: false}\nb: {uid: 1}\n", "b", []),
        ("a: {uid: 1}\nb: {run: false}\n", "a", []),
        ("a: {}\nb: {}\n", "a", ["dependency b"]),
    ],
)
def test_of_two_releases_of_airflow_the_one_that_runs_is_judged(values, key, unread):
    rows = (dependency(alias=name, condition=f"{name}.run") for name in "ab")
    found = beside(values, *rows)
    assert (found.usable, found.key) == (True, key)
    assert [item.what for item in found.not_read] == unread


def test_both_releases_switched_off_leave_nothing_to_judge():
    rows = (dependency(alias=name, condition=f"{name}.run") for name in "ab")
    assert not beside("a: {run: false}\nb: {run: false}\n", *rows).usable
