"""What a change may say about the settings it is judged by: its defaults, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.definition import definition
from generator.pipeline import settings_trust
from generator.yaml import edit, reader
from tests.repositories import SETTINGS

BASE = SETTINGS + "defaults: {tiers: {production: {scheduler: {replicas: 2}}}}\n"
EVIL = [
    ("server: https://10.0.0.1:6443", "server: https://10.6.6.6:6443"),
    ("https://git.example.com/airflow.git", "https://evil.example.com/airflow.git"),
    ("clusters:", "chart: {url: https://evil.example.com}\nclusters:"),
    ("clusters:", "policy: {teams: {payments: {namespaces: ['*']}}}\nclusters:"),
    ("clusters:", "argocd: {context: evil}\nclusters:"),
    ("clusters:", "helm: binary\nclusters:"),
    ("clusters:", "crds: evil\nclusters:"),
    ("forge: gitea", "forge: github"),
]


def settings(text):
    loaded, problems = definition.load_settings(text)
    assert loaded is not None, problems
    return loaded.repository


def rules(composed):
    return [problem.rule for problem in composed.problems]


@pytest.mark.parametrize("evil", EVIL)
def test_all_but_the_defaults_stays_the_bases(evil):
    head = BASE.replace(*evil).replace("replicas: 2", "replicas: 3")
    assert head.count("replicas: 3") == 1 and evil[1] in head
    composed = settings_trust.compose(BASE.encode(), head.encode())
    found, base = settings(composed.text), settings(BASE.encode())
    assert found.model_dump(exclude={"defaults"}) == base.model_dump(exclude={"defaults"})
    assert found.defaults == settings(head.encode()).defaults != base.defaults
    assert composed.later and composed.changed and not composed.exact
    assert rules(composed) == ["settings/after-merge"]


def test_changed_defaults_alone_are_taken_as_they_stand():
    head = BASE.replace("replicas: 2", "replicas: 3")
    composed = settings_trust.compose(BASE.encode(), head.encode())
    assert (composed.text, composed.later, composed.changed) == (head.encode(), (), True)
    assert composed.exact and not composed.problems


def test_defaults_can_come_and_go_beside_other_changes():
    head = SETTINGS.replace("forge: gitea", "forge: github")
    composed = settings_trust.compose(BASE.encode(), head.encode())
    assert settings(composed.text).defaults.tiers == {}
    back = settings_trust.compose(
        SETTINGS.encode(), BASE.replace("forge: gitea", "forge: github").encode()
    )
    assert settings(back.text).defaults == settings(BASE.encode()).defaults
    assert settings(back.text).repository.forge == "gitea"


def test_an_anchor_cannot_carry_settings_over():
    head = BASE.replace("clusters:\n  main:", "clusters:\n  main: &main").replace(
        "defaults: {", "defaults: {clusters: {main: *main}, "
    )
    head = head.replace("10.0.0.1", "10.6.6.6")
    composed = settings_trust.compose(BASE.encode(), head.encode())
    assert settings(composed.text).clusters == settings(BASE.encode()).clusters


@pytest.mark.parametrize(
    "head", [b"a: [", b"\xff", b"- x\n", b"", b"kind: Repository\nclusters: []\n", b"&a [*a]"]
)
def test_a_file_that_does_not_stand_is_a_problem_and_the_bases_stands_in(head):
    composed = settings_trust.compose(BASE.encode(), head)
    assert settings(composed.text).clusters == settings(BASE.encode()).clusters
    assert any(problem.severity.value == "error" for problem in composed.problems)


def test_a_removed_file_is_a_problem():
    composed = settings_trust.compose(BASE.encode(), None)
    assert (composed.text, rules(composed)) == (BASE.encode(), ["settings/missing"])


words = st.sampled_from(["x", "3.10", "1234e5", "yes", "on", "null", "'1'", "~", "0x1f", "a b"])
tiers = st.dictionaries(st.sampled_from(["development", "production"]), st.dictionaries(
    st.sampled_from(["airflow", "values", "keys"]), words), max_size=2)  # fmt: skip


@given(tiers, st.booleans())
def test_whatever_the_defaults_the_rest_reads_like_the_base(made, flow):
    lines = "".join(
        f"    {tier}: {{{', '.join(f'{key}: {value}' for key, value in fields.items())}}}\n"
        for tier, fields in made.items()
    )
    defaults = f"defaults:\n  tiers:\n{lines}" if lines else "defaults: {tiers: {}}\n"
    head = SETTINGS.replace("forge: gitea", "forge: github") + defaults
    base = BASE if flow else SETTINGS
    composed = settings_trust.compose(base.encode(), head.encode())
    got = reader.read(composed.text, "").data
    want = {**reader.read(base, "").data, "defaults": reader.read(head, "").data["defaults"]}
    if "settings/defaults" not in rules(composed):
        assert edit.alike(got, want)
    else:
        assert composed.text == base.encode()
