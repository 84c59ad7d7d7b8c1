"""Which environments a change reaches."""

from generator.core.files import Snapshot
from generator.pipeline import scope
from generator.tree import catalogue
from tests.repositories import DEV, SETTINGS, STAGING


def files(settings=SETTINGS, **definitions):
    contents = {"gen-env.yaml": settings.encode()}
    for name, text in definitions.items():
        contents[f"environments/{name}/environment.yaml"] = text.encode()
    return Snapshot(contents)


BEFORE = catalogue.load(files(dev=DEV, staging=STAGING))


def found(paths, after=BEFORE, **more):
    result = scope.find(paths, BEFORE, after, **more)
    return result.environments, result.repository


def test_paths_reach_their_environment_and_no_namesake():
    assert found(["environments/dev/environment.yaml"]) == (("dev",), False)
    assert found(["environments/dev/generated/values.yaml"]) == (("dev",), True)
    assert found(["environments/developers/x", "environments/README.md"]) == ((), False)
    assert found(["README.md", "gen-env.yaml.bak"]) == ((), False)


def test_an_environment_that_is_new_broken_or_gone_is_reached():
    after = catalogue.load(files(staging=STAGING, fresh=DEV, odd="a: ["))
    paths = [f"environments/{name}/environment.yaml" for name in ("dev", "fresh", "odd")]
    assert found(paths, after) == (("dev", "fresh", "odd"), False)


def test_defaults_reach_those_they_apply_to():
    def after(defaults):
        return catalogue.load(files(f"{SETTINGS}defaults: {defaults}\n", dev=DEV, staging=STAGING))

    for defaults, names in (
        ("{tiers: {staging: {scheduler: {replicas: 3}}}}", ("staging",)),
        ("{clusters: {main: {scheduler: {replicas: 3}}}}", ("dev", "staging")),
        ("{tiers: {production: {scheduler: {replicas: 3}}}}", ()),
        ("{tiers: {staging: {}}}", ()),
    ):
        assert found(["gen-env.yaml"], after(defaults)) == (names, True)


def test_a_vendored_chart_reaches_all():
    assert found(["charts/airflow/a.yaml"], everywhere=["charts/airflow"]) == (
        ("dev", "staging"),
        True,
    )
    assert found(["charts/airflow-2/a"], everywhere=["charts/airflow"]) == ((), False)


def test_the_repositorys_own_files_touch_it_as_a_whole():
    for path in ("bootstrap/root.yaml", ".gen-env/environment.schema.json", "gen-env.yaml"):
        assert found([path]) == ((), True)


def test_the_roles_of_an_environment_touch_it():
    assert found(["bootstrap/access/dev.yaml"]) == (("dev",), True)


def test_a_file_that_steers_argo_cd_touches_the_repository_as_a_whole():
    assert found([".argocd-source.yaml"]) == ((), True)
