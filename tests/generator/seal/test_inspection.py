import copy

import pytest

from generator.core.problem import Severity
from generator.redaction.secret import Secret
from generator.seal import fernet, inspection, random_values, sealing, uri
from generator.seal.inspection import Expected, Place
from generator.seal.scopes import NAMESPACE_WIDE, Scope
from generator.seal.sealed_secret import merge, stub
from tests.generator.seal.keypair import DAY, NOW, sealing_certificate

EXPECTED = Expected("db", "team", frozenset({"connection"}))
PLACE = Place("production", "environments/production/secrets/db.yaml")
URI = "postgresql://u:p@pg.internal/airflow"


def sealed(**values):
    secrets = {key: Secret(value) for key, value in (values or {"connection": URI}).items()}
    return sealing.seal(stub("db", "team", []), secrets, sealing_certificate(), now=NOW)


def found(manifest, expected=EXPECTED, **options):
    return [
        (problem.rule.removeprefix("secrets/"), problem.severity.value)
        for problem in inspection.inspect(manifest, expected, PLACE, **options)
    ]


def changed(path, value, manifest=None):
    result = copy.deepcopy(manifest or sealed())
    inner = result
    for step in path[:-1]:
        inner = inner.setdefault(step, {})
    inner[path[-1]] = value
    return result


def test_a_sealed_secret_in_its_place_is_fine():
    assert found(sealed()) == []


def test_findings_name_environment_file_and_rule():
    (problem,) = inspection.inspect(stub("db", "team", ["connection"]), EXPECTED, PLACE)
    assert (problem.environment, problem.path) == ("production", PLACE.path)
    assert problem.rule == "secrets/stub"
    assert "connection" in problem.message


def test_a_stub_matters_as_much_as_the_tier_says():
    manifest = stub("db", "team", ["connection"])
    assert found(manifest) == [("stub", "info")]
    assert found(manifest, tier="development") == [("stub", "info")]
    assert found(manifest, tier="staging") == [("stub", "warning")]
    assert found(manifest, tier="production") == [("stub", "error")]


def test_a_missing_key_is_an_error():
    assert found(sealed(other="x")) == [("missing", "error")]


def test_keys_beyond_the_required_ones_are_looked_at_too():
    assert found(merge(sealed(), {"extra": ""})) == [("stub", "info")]
    assert found(merge(sealed(), {"extra": "cGxhaW50ZXh0"})) == [("malformed", "error")]


def test_what_was_never_sealed_is_called_exposed_and_not_quoted():
    manifest = merge(sealed(), {"connection": "Y2FuYXJ5"})
    (problem,) = inspection.inspect(manifest, EXPECTED, PLACE)
    assert problem.rule == "secrets/malformed"
    assert "exposed" in problem.hint
    assert "Y2FuYXJ5" not in f"{problem.message}{problem.hint}"


@pytest.mark.parametrize("field", ["name", "namespace"])
def test_another_name_or_namespace_is_an_error_and_so_is_what_it_was_sealed_for(field):
    manifest = changed(("metadata", field), "other")
    assert found(manifest) == [("identity", "error"), ("moved", "error")]


def test_a_template_that_disagrees_only_misleads():
    manifest = changed(("spec", "template", "metadata", "name"), "other")
    assert found(manifest) == [("identity", "warning")]


def test_a_copy_that_was_renamed_to_look_right_is_found_out():
    manifest = changed(("metadata", "namespace"), "staging")
    manifest["spec"]["template"]["metadata"]["namespace"] = "staging"
    assert found(manifest, Expected("db", "staging")) == [("moved", "error")]


def test_a_file_that_kubeseal_wrote_records_no_place_and_passes():
    manifest = sealed()
    manifest["metadata"].pop("annotations")
    assert found(manifest) == []


def test_a_scope_that_was_not_asked_for_is_an_error():
    manifest = stub("db", "team", [], scope=Scope.NAMESPACE_WIDE)
    assert found(manifest, Expected("db", "team", scope=Scope.STRICT)) == [("scope", "error")]
    assert found(manifest, Expected("db", "team", scope=Scope.NAMESPACE_WIDE)) == []
    assert found(manifest, Expected("db", "team")) == []


def test_two_scopes_in_one_manifest_are_a_warning():
    manifest = changed(("spec", "template", "metadata", "annotations", NAMESPACE_WIDE), "true")
    assert found(manifest) == [("scope", "warning")]


def test_one_ciphertext_for_two_keys_is_an_error():
    manifest = sealed()
    text = manifest["spec"]["encryptedData"]["connection"]
    assert found(merge(manifest, {"again": text})) == [("reused", "error")]
    assert found(merge(manifest, {"a": "", "b": ""})) == [("stub", "info")] * 2


def test_one_ciphertext_in_two_files_is_reported_for_both():
    manifest = sealed()
    other = Place("staging", "environments/staging/secrets/db.yaml")
    problems = inspection.reused({PLACE: manifest, other: copy.deepcopy(manifest)})
    assert [problem.environment for problem in problems] == ["production", "staging"]
    assert other.path in problems[0].message
    assert inspection.reused({PLACE: manifest, other: sealed()}) == ()
    assert inspection.reused({PLACE: stub("a", "b", ["k"]), other: stub("a", "b", ["k"])}) == ()


@pytest.mark.parametrize(
    ("host", "expected"), [("pg.internal", []), ("pg2.internal", [("uri", "warning")])]
)
def test_a_database_that_moved_while_the_uri_did_not_is_a_warning(host, expected):
    wanted = uri.fingerprint("postgresql", host, None, "airflow")
    demand = Expected("db", "team", uri_parts={"connection": frozenset({wanted})})
    assert found(sealed(), demand) == expected


def test_a_uri_of_which_nothing_is_recorded_is_not_judged():
    demand = Expected(
        "db", "team", uri_parts=dict.fromkeys(("connection", "unsealed"), frozenset({"ffff"}))
    )
    assert found(sealed(connection="opaque"), demand) == []


@pytest.mark.parametrize(
    ("manifest", "rule"),
    [
        ({"apiVersion": "v1", "kind": "Secret", "stringData": {"a": "canary"}}, "plain"),
        ({"apiVersion": "v1", "kind": "Secret", "data": {"a": "Y2FuYXJ5"}}, "plain"),
        ({"apiVersion": "v1", "kind": "ConfigMap"}, "kind"),
        ({"apiVersion": "bitnami.com/v1", "kind": "SealedSecret"}, "kind"),
        ({}, "kind"),
        (stub("db", "team", []) | {"spec": {"data": "AAAA"}}, "old-format"),
    ],
)
def test_other_objects_in_the_place_of_a_sealed_secret_are_errors(manifest, rule):
    assert found(manifest) == [(rule, "error")]


def test_more_than_kubernetes_stores_is_an_error():
    half = "x" * 600_000
    manifest = merge(sealed(), sealed(a=half)["spec"]["encryptedData"])
    assert found(manifest) == []
    manifest = merge(manifest, sealed(b=half)["spec"]["encryptedData"])
    assert found(manifest) == [("size", "error")]


def test_a_rotation_under_way_is_told():
    old = random_values.fernet_key()
    manifest = sealing.seal(
        stub("db", "team", []), {"fernet-key": old}, sealing_certificate(), now=NOW
    )
    demand = Expected("db", "team", frozenset({"fernet-key"}))
    both = fernet.start(manifest, old, sealing_certificate(), now=NOW)
    assert found(manifest, demand) == []
    assert found(both, demand) == [("rotation", "info")]
    lost = merge(both, {"fernet-key": ""})
    assert found(lost, demand) == [("rotation", "error"), ("stub", "info")]


@pytest.mark.parametrize(
    ("days", "rules"), [(0, []), (31, ["secrets/certificate"]), (-5, ["secrets/certificate"])]
)
def test_a_certificate_out_of_its_time_is_a_warning(days, rules):
    problems = inspection.inspect_certificate(sealing_certificate(), PLACE, now=NOW + days * DAY)
    assert [problem.rule for problem in problems] == rules
    assert all(problem.severity is Severity.WARNING and problem.hint for problem in problems)


def test_a_renewed_certificate_is_worth_a_note_and_no_warning():
    manifests = {PLACE: sealed(), Place("dev", "b.yaml"): stub("a", "b", ["k"])}
    same = inspection.inspect_certificate(
        sealing_certificate(), PLACE, now=NOW, manifests=manifests
    )
    assert same == ()
    (note,) = inspection.inspect_certificate(
        sealing_certificate(1), PLACE, now=NOW, manifests=manifests
    )
    assert (note.rule, note.severity) == ("secrets/renewed", Severity.INFO)
    assert "nothing to do" not in note.hint and "seal the value again" in note.hint


def test_a_value_sealed_for_another_cluster_is_an_error_that_names_it():
    others = {sealing_certificate().fingerprint: "dev"}
    (item,) = inspection.inspect_certificate(
        sealing_certificate(1), PLACE, now=NOW, manifests={PLACE: sealed()}, others=others
    )
    assert (item.rule, item.severity) == ("secrets/other-cluster", Severity.ERROR)
    assert "the cluster dev" in item.message
