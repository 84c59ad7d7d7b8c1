"""The steps joined: plans for the chosen environments, and what stands in the way."""

import pytest

from generator.core.errors import UserError
from generator.core.files import Snapshot
from generator.pipeline import generate
from generator.render.request import RenderResult
from tests.definitions import carried_out, stand_in_charts
from tests.repositories import DEV, SETTINGS, STAGING, changed

LOCK = "environments/dev/gen-env.lock"


def files(settings=SETTINGS, **definitions):
    contents = {"gen-env.yaml": settings}
    for name, text in definitions.items():
        contents[f"environments/{name}/environment.yaml"] = text
    return Snapshot({path: text.encode() for path, text in contents.items()})


@pytest.fixture
def charts(tmp_path):
    return stand_in_charts(tmp_path)


class Rendering:
    """A renderer that gives what it was made with, and keeps what it was asked."""

    def __init__(self, answer):
        self.answer, self.asked = answer, []

    def engine_version(self):
        return "test"

    def render(self, request):
        self.asked.append(request)
        return self.answer


RENDERED = SETTINGS + "chart: {source: rendered}\n"
OBJECT = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}}


def test_to_generate_again_is_to_do_nothing(charts):
    first = files(dev=DEV, staging=STAGING)
    generation = generate.generate(first, (), charts)
    assert not generation.failed and any(item.plan for item in generation.outcomes)
    again = generate.generate(carried_out(first, generation), (), charts)
    assert not any(item.plan for item in again.outcomes)


def test_only_the_chosen_are_planned_and_the_repository_as_a_whole(charts):
    generation = generate.generate(files(dev=DEV, staging=STAGING), ["dev"], charts)
    assert [item.name for item in generation.outcomes] == ["dev", ""]
    alone = generate.generate(files(dev=DEV, staging=STAGING), ["dev"], charts, whole=False)
    assert [item.name for item in alone.outcomes] == ["dev"]


def test_an_unknown_name_is_refused_with_those_that_are_there(charts):
    with pytest.raises(UserError, match='environment "nowhere" not found') as caught:
        generate.generate(files(dev=DEV), ["nowhere"], charts)
    assert "known environments: dev" in caught.value.hint


def test_one_broken_definition_leaves_the_others_alone(charts):
    generation = generate.generate(files(dev=DEV + "nonsense: 1\n", staging=STAGING), (), charts)
    assert generation.failed == {"dev"}
    plans = {item.name: bool(item.plan) for item in generation.outcomes}
    assert plans["staging"] and not plans["dev"]


def test_projects_stay_while_one_of_their_environments_is_broken(charts):
    settings = SETTINGS + "argocd: {project: {manage: true, name: airflow}}\n"
    both = generate.generate(files(settings, dev=DEV, staging=STAGING), (), charts)
    assert "bootstrap/projects/airflow.yaml" in both.outcomes[-1].plan.paths
    broken = generate.generate(files(settings, dev=DEV, staging=STAGING + "x: 1\n"), (), charts)
    assert "bootstrap/projects/airflow.yaml" not in broken.outcomes[-1].plan.paths


def test_without_settings_nothing_is_planned(charts):
    generation = generate.generate(Snapshot({}), (), charts)
    assert [item.rule for item in generation.problems] == ["settings/missing"]
    assert generation.outcomes == ()


def test_the_lock_takes_the_digest_of_the_chart_at_hand(charts):
    generation = generate.generate(files(dev=DEV), (), charts)
    digest = charts.at_hand("1.22.0", None).digest
    assert digest in generation.outcomes[0].plan.writes[LOCK]


def test_a_new_chart_version_forgets_the_old_digest(charts):
    first = files(dev=DEV)
    written = carried_out(first, generate.generate(first, (), charts))
    path = "environments/dev/environment.yaml"
    newer = changed(DEV, ("1.22.0", "1.22.1")).encode()
    generation = generate.generate(Snapshot({**written.contents, path: newer}), (), charts)
    lock = generation.outcomes[0].plan.writes[LOCK]
    assert '"1.22.1"' in lock and "digest: null" in lock


def test_a_broken_lock_is_told_and_nothing_overwritten(charts):
    contents = {**files(dev=DEV).contents, LOCK: b"a: ["}
    generation = generate.generate(Snapshot(contents), (), charts)
    assert generation.failed == {"dev"}
    assert {item.rule for item in generation.problems} == {"lock/broken"}


def test_a_rendered_chart_is_part_of_the_tree(charts):
    engine = Rendering(RenderResult((OBJECT,), "", (), "test"))
    generation = generate.generate(files(RENDERED, dev=DEV), (), charts, engine)
    paths = generation.outcomes[0].plan.paths
    assert "environments/dev/generated/manifests/chart/service-a.yaml" in paths
    (asked,) = engine.asked
    assert (asked.release, asked.namespace, asked.kube_version) == (
        "airflow",
        "airflow-dev",
        "1.34.2",
    )
    assert asked.api_versions == ("keda.sh/v1alpha1", "monitoring.coreos.com/v1")


def test_where_nothing_may_be_rendered_such_a_tree_has_no_plan(charts):
    generation = generate.generate(files(RENDERED, dev=DEV), (), charts, may_render=False)
    assert not generation.outcomes[0].plan and not generation.problems
    refused = generate.generate(files(RENDERED, dev=DEV), (), charts)
    assert {item.rule for item in refused.problems} == {"chart/archive"}
