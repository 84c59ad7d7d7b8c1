"""Adoption where Flux applies environments: refused before anything is written."""

import pytest

from tests.repositories import SETTINGS, changed, repository

VERSION = "    kubernetesVersion"
BY_CLUSTER = changed(SETTINGS, (VERSION, f"    engine: flux\n{VERSION}"))


@pytest.mark.parametrize("settings", [SETTINGS + "engine: flux\n", BY_CLUSTER])
def test_no_second_helm_release_is_made_for_a_deployed_one(tmp_path, settings):
    repo = repository(tmp_path / "repo", settings=settings)
    repo.write("values.yaml", "executor: KubernetesExecutor\n")
    before = repo.tree()
    done = repo.run("adopt", "values.yaml", "--name", "prod", "--chart", "1.22.0", "--write")
    assert done.code == 1 and "that Flux applies is not supported" in done.said
    assert repo.tree() == before
