"""Effective values, and where each was decided."""

import pytest

from generator.actions import explain
from generator.core.errors import UserError
from tests.repositories import DEV, SETTINGS, built, changed

DEFAULTS = """\
defaults:
  tiers: {development: {scheduler: {replicas: 2}, labels: {a: tier}}}
  clusters: {main: {labels: {b: cluster}}}
"""


def shown(text=DEV, field=None, settings=SETTINGS + DEFAULTS):
    return {row.field: row for row in explain.rows(built(text, settings=settings), field)}


def test_each_value_names_the_layer_that_decided_it():
    found = shown(DEV + "labels: {c: mine}\n")
    assert found["airflow.version"].source == "environments/dev/environment.yaml:5"
    assert found["scheduler.replicas"].source.startswith("gen-env.yaml defaults.tiers.development")
    assert found["labels.a"].source.startswith("gen-env.yaml defaults.tiers.development")
    assert found["labels.b"].source.startswith("gen-env.yaml defaults.clusters.main")
    assert found["labels.c"].source == "environments/dev/environment.yaml:10"
    assert found["security.podSecurity"].source.startswith("built-in")


def test_an_opened_mapping_does_not_claim_what_it_leaves_out():
    assert shown(DEV + "triggerer: {}\n")["triggerer.capacity"].source == "built-in"


def test_a_field_shows_all_below_it_and_empty_values_too():
    found = shown(field="destination")
    assert set(found) == {
        f"destination.{name}"
        for name in (
            *("cluster", "namespace", "releaseName", "storageNamespace"),
            *("application", "project"),
        )
    }
    assert found["destination.project"].shown == "null"
    assert set(shown(field="destination.cluster")) == {"destination.cluster"}


def test_an_unknown_field_names_those_there_are():
    with pytest.raises(UserError, match="field 'worker' not found") as caught:
        shown(field="worker")
    assert "workers" in caught.value.hint


def test_long_text_is_cut_and_other_values_are_json():
    row = explain.Row("a", "x" * 80, "built-in")
    assert len(row.shown) == 60 and row.shown.endswith("...")
    assert explain.Row("a", {"b": ["ü"]}, "").shown == '{"b": ["ü"]}'
    assert row.as_json() == {"field": "a", "value": "x" * 80, "source": "built-in"}


def test_notes_say_what_a_field_is_for_and_what_it_sets():
    text = "\n".join(explain.notes(built(DEV), "scheduler.replicas"))
    assert "each schedules, none leads" in text
    assert "chart values: scheduler.replicas" in text


def test_notes_tell_the_trade_offs_of_dags():
    text = "\n".join(explain.notes(built(DEV), "dags"))
    for way in ("gitSync", "bundles", "image", "persistence"):
        assert f"{way}" in text
    assert "gitSync" not in "\n".join(explain.notes(built(DEV), None))


def test_a_list_is_one_value():
    text = changed(DEV, ("{image: {}}", "{bundles: [{name: a, type: local, path: /d}]}"))
    assert shown(text)["dags.bundles"].value[0]["name"] == "a"
