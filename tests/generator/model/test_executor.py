"""Which executors a definition may name."""

import pydantic
import pytest

from generator.model.environment import Airflow, executors_of


@pytest.mark.parametrize(
    ("version", "executor"),
    [
        ("2.5.3", "CeleryKubernetesExecutor"),
        ("2.11.0", "LocalKubernetesExecutor"),
        ("3.2.2", "CeleryExecutor,KubernetesExecutor"),
    ],
)
def test_an_executor_of_the_airflow_is_taken(version, executor):
    assert Airflow(version=version, executor=executor).executor == executor


@pytest.mark.parametrize(
    ("version", "executor", "words"),
    [
        ("3.0.2", "CeleryKubernetesExecutor", "write CeleryExecutor,KubernetesExecutor"),
        ("2.5.3", "CeleryKubernetesExecutor,LocalExecutor", "cannot be combined"),
        ("2.5.3", "SequentialExecutor", "write LocalExecutor, CeleryExecutor"),
        ("2.10.5", "LocalExecutor,LocalExecutor", "appears twice"),
    ],
)
def test_any_other_comes_with_what_to_write(version, executor, words):
    with pytest.raises(pydantic.ValidationError, match=words):
        Airflow(version=version, executor=executor)


def test_a_hybrid_executor_counts_as_its_two():
    assert executors_of("LocalKubernetesExecutor") == ("LocalExecutor", "KubernetesExecutor")
