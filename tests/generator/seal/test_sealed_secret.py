import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.core.errors import UserError
from generator.redaction.secret import Secret
from generator.seal import sealed_secret
from generator.seal.crypto import encrypt
from generator.seal.scopes import CLUSTER_WIDE, Scope
from generator.seal.sealed_secret import State
from tests.effort import examples
from tests.generator.seal.keypair import private_key

KEYS = st.from_regex(r"[a-zA-Z][-._a-zA-Z0-9]{0,30}", fullmatch=True)


def ciphertext(value="value"):
    return encrypt(Secret(value), private_key().public_key(), "team/db")


def test_a_stub_has_every_key_empty_and_sorted():
    made = sealed_secret.stub(
        "db",
        "team",
        ["kedaConnection", "connection"],
        annotations={"z": "1", "a": "2"},
        labels={"gen-env.dev/environment": "production"},
    )
    assert made == {
        "apiVersion": "bitnami.com/v1alpha1",
        "kind": "SealedSecret",
        "metadata": {
            "name": "db",
            "namespace": "team",
            "annotations": {"a": "2", "z": "1"},
            "labels": {"gen-env.dev/environment": "production"},
        },
        "spec": {
            "encryptedData": {"connection": "", "kedaConnection": ""},
            "template": {
                "metadata": {
                    "name": "db",
                    "namespace": "team",
                    "labels": {"gen-env.dev/environment": "production"},
                },
                "type": "Opaque",
            },
        },
    }


def test_the_scope_stands_in_both_places():
    made = sealed_secret.stub("db", "team", ["k"], scope=Scope.CLUSTER_WIDE)
    assert made["metadata"]["annotations"] == {CLUSTER_WIDE: "true"}
    assert made["spec"]["template"]["metadata"]["annotations"] == {CLUSTER_WIDE: "true"}


@pytest.mark.parametrize("key", ["", "a b", "a/b", "..", "..x", ".", "k" * 254, "grün", "a\n"])
def test_names_that_kubernetes_refuses_as_keys_are_refused(key):
    with pytest.raises(UserError, match="cannot be the key"):
        sealed_secret.stub("db", "team", [key])


@given(before=st.dictionaries(KEYS, st.text()), new=st.dictionaries(KEYS, st.text(), min_size=1))
@examples(50)
def test_merging_changes_the_named_keys_and_nothing_else(before, new):
    manifest = sealed_secret.stub("db", "team", [])
    manifest["spec"]["encryptedData"] = dict(before)
    merged = sealed_secret.merge(manifest, new)
    assert merged["spec"]["encryptedData"] == before | new
    assert manifest["spec"]["encryptedData"] == before
    assert merged["spec"]["template"] == manifest["spec"]["template"]


def test_missing_keys_are_added_and_sealed_ones_kept():
    manifest = sealed_secret.merge(sealed_secret.stub("db", "team", ["a"]), {"a": "sealed"})
    grown = sealed_secret.add_missing(manifest, ["a", "b"])
    assert sealed_secret.encrypted_data(grown) == {"a": "sealed", "b": ""}
    assert sealed_secret.add_missing(grown, ["b"]) == grown


def test_each_required_key_has_its_state():
    manifest = sealed_secret.stub("db", "team", ["stub"])
    manifest = sealed_secret.merge(manifest, {"good": ciphertext(), "bad": "cGxhaW4="})
    assert sealed_secret.state(manifest, ["stub", "good", "bad", "gone"]) == {
        "bad": State.MALFORMED,
        "gone": State.MISSING,
        "good": State.SEALED,
        "stub": State.STUB,
    }


@pytest.mark.parametrize("data", [None, [], "text", {"k": None}, {"k": 5}])
def test_nonsense_in_place_of_ciphertexts_does_not_fail(data):
    manifest = {"spec": {"encryptedData": data}}
    assert sealed_secret.state(manifest, ["k"])["k"] in {State.STUB, State.MISSING}
    assert sealed_secret.plaintext_bytes(manifest) == 0


def test_the_hash_follows_the_ciphertexts_and_the_type_only():
    manifest = sealed_secret.merge(sealed_secret.stub("db", "team", ["b"]), {"a": "1"})
    first = sealed_secret.content_hash(manifest)
    moved = sealed_secret.merge(
        sealed_secret.stub("db", "team", ["a", "b"], annotations={"x": "y"}), {"a": "1"}
    )
    assert sealed_secret.content_hash(moved) == first
    assert sealed_secret.content_hash(sealed_secret.merge(manifest, {"a": "2"})) != first
    assert sealed_secret.content_hash(sealed_secret.merge(manifest, {"b": "2"})) != first
    manifest["spec"]["template"]["type"] = "kubernetes.io/basic-auth"
    assert sealed_secret.content_hash(manifest) != first


def test_the_hash_of_chosen_keys_ignores_the_others():
    manifest = sealed_secret.merge(sealed_secret.stub("db", "team", []), {"a": "1", "b": "1"})
    changed = sealed_secret.merge(manifest, {"b": "2"})
    assert sealed_secret.content_hash(manifest, ["a"]) == sealed_secret.content_hash(changed, ["a"])
    assert sealed_secret.content_hash(manifest, ["b"]) != sealed_secret.content_hash(changed, ["b"])


def test_sizes_of_all_values_are_summed_from_ciphertexts():
    manifest = sealed_secret.merge(
        sealed_secret.stub("db", "team", ["stub"]),
        {"a": ciphertext("12345"), "b": ciphertext("678")},
    )
    assert sealed_secret.plaintext_bytes(manifest) == 8


@pytest.mark.crds
def test_stubs_satisfy_the_official_definition():
    directory = os.environ.get("GEN_ENV_CRDS")
    if not directory:
        pytest.skip("set GEN_ENV_CRDS to a directory with bitnami.com_sealedsecrets.yaml")
    import jsonschema
    import yaml

    crd = yaml.safe_load((Path(directory) / "bitnami.com_sealedsecrets.yaml").read_text())
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    for scope in Scope:
        made = sealed_secret.stub("db", "team", ["a"], scope=scope, labels={"x": "y"})
        jsonschema.Draft7Validator(schema).validate(sealed_secret.merge(made, {"a": ciphertext()}))
