import json
import logging
import subprocess
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.core.errors import UserError
from generator.redaction.secret import Secret
from generator.seal import sealing
from generator.seal import uri as uris
from generator.seal.scopes import Scope
from generator.seal.sealed_secret import (
    MAX_SECRET_BYTES,
    SEALED_FOR,
    SEALED_WITH,
    URI_PARTS,
    State,
    annotation,
    encrypted_data,
    state,
    stub,
)
from tests.effort import examples
from tests.generator.seal.keypair import DAY, NOW, sealing_certificate, unseal

KEYS = st.from_regex(r"[a-zA-Z][-._a-zA-Z0-9]{0,30}", fullmatch=True)
LABELS = {Scope.STRICT: "team/db", Scope.NAMESPACE_WIDE: "team", Scope.CLUSTER_WIDE: ""}
CANARY = "canary-5b1d-plaintext"


def seal(manifest, values, *, now=NOW, number=0):
    secrets = {key: Secret(value) for key, value in values.items()}
    return sealing.seal(manifest, secrets, sealing_certificate(number), now=now)


@pytest.mark.parametrize("scope", list(Scope))
@given(values=st.dictionaries(KEYS, st.binary(min_size=1, max_size=500), min_size=1, max_size=4))
@examples(10)
def test_what_is_sealed_opens_in_its_scope(scope, values):
    sealed = seal(stub("db", "team", values, scope=scope), values)
    opened = {key: unseal(text, LABELS[scope]) for key, text in encrypted_data(sealed).items()}
    assert opened == values


@pytest.mark.parametrize("scope", [Scope.STRICT, Scope.NAMESPACE_WIDE])
def test_another_namespace_cannot_open_it(scope):
    sealed = seal(stub("db", "team", ["k"], scope=scope), {"k": b"v"})
    for label in ("other/db", "other", ""):
        with pytest.raises(ValueError):
            unseal(encrypted_data(sealed)["k"], label)


def test_sealing_one_key_leaves_stubs_and_sealed_keys_alone():
    first = seal(stub("db", "team", ["a", "b", "c"]), {"a": b"1"})
    second = seal(first, {"b": b"2"})
    assert encrypted_data(second)["a"] == encrypted_data(first)["a"]
    assert state(second, ["a", "b", "c"]) == {"a": State.SEALED, "b": State.SEALED, "c": State.STUB}
    assert unseal(encrypted_data(second)["b"], "team/db") == b"2"


def test_the_input_is_not_changed():
    manifest = stub("db", "team", ["a"])
    before = json.dumps(manifest)
    seal(manifest, {"a": b"1"})
    assert json.dumps(manifest) == before


def test_certificate_and_place_are_recorded():
    sealed = seal(stub("db", "team", ["a"], annotations={"keep": "me"}), {"a": b"1"})
    assert annotation(sealed, SEALED_WITH) == sealing_certificate().fingerprint
    assert annotation(sealed, SEALED_FOR) == "strict team/db"
    assert annotation(sealed, URI_PARTS) == ""
    assert annotation(sealed, "keep") == "me"


def test_an_earlier_certificate_is_remembered_while_its_ciphertexts_remain():
    old, new = sealing_certificate(0).fingerprint, sealing_certificate(1).fingerprint
    first = seal(stub("db", "team", ["a", "b"]), {"a": b"1", "b": b"1"})
    second = seal(first, {"a": b"2"}, number=1)
    assert annotation(second, SEALED_WITH) == f"{new},{old}"
    third = seal(second, {"a": b"3", "b": b"3"}, number=1)
    assert annotation(third, SEALED_WITH) == new


def test_fingerprints_of_uris_follow_their_keys():
    uri = "postgresql://u:p@pg.internal/airflow"
    sealed = seal(stub("db", "team", ["connection", "other"]), {"connection": uri, "other": "x"})
    wanted = uris.fingerprint("postgresql", "pg.internal", 5432, "airflow")
    assert annotation(sealed, URI_PARTS) == f"connection={wanted}"
    assert annotation(seal(sealed, {"other": "y"}), URI_PARTS) == f"connection={wanted}"
    assert URI_PARTS not in seal(sealed, {"connection": "no uri"})["metadata"]["annotations"]


@pytest.mark.parametrize("change", [{"name": "db2"}, {"namespace": "other"}])
def test_a_moved_secret_is_not_half_sealed(change):
    sealed = seal(stub("db", "team", ["a", "b"]), {"a": b"1"})
    sealed["metadata"] |= change
    with pytest.raises(UserError, match=r"a were sealed for strict team/db"):
        seal(sealed, {"b": b"2"})
    whole = seal(sealed, {"a": b"1", "b": b"2"})
    assert annotation(whole, SEALED_FOR) == sealing.binding_of(whole)


def test_an_expired_certificate_seals_nothing():
    with pytest.raises(UserError, match="expired"):
        seal(stub("db", "team", ["a"]), {"a": b"1"}, now=NOW + 31 * DAY)


def test_values_that_cannot_be_sealed_are_refused():
    manifest = stub("db", "team", ["a"])
    with pytest.raises(UserError, match="no value for a, b"):
        seal(manifest, {"b": b"", "a": b"", "c": b"1"})
    with pytest.raises(UserError, match="nothing to seal"):
        seal(manifest, {})
    with pytest.raises(UserError, match="cannot be the key"):
        seal(manifest, {"a b": b"1"})


def test_values_together_may_fill_a_secret_and_not_more():
    full = seal(stub("db", "team", []), {"a": b"x" * (MAX_SECRET_BYTES - 10)})
    assert state(seal(full, {"b": b"x" * 10}), ["b"]) == {"b": State.SEALED}
    with pytest.raises(UserError, match="Kubernetes allows 1048576"):
        seal(full, {"b": b"x" * 11})
    assert state(seal(full, {"a": b"x" * 11}), ["a"]) == {"a": State.SEALED}


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "Secret"},
        {"apiVersion": "bitnami.com/v1"},
        {"metadata": {}},
        {"metadata": {"name": "x"}},
    ],
)
def test_only_a_complete_sealed_secret_is_sealed_into(change):
    with pytest.raises(UserError):
        seal(stub("db", "team", ["a"]) | change, {"a": b"1"})


def test_a_cluster_wide_secret_needs_no_namespace():
    manifest = stub("db", "", ["a"], scope=Scope.CLUSTER_WIDE)
    assert unseal(encrypted_data(seal(manifest, {"a": b"1"}))["a"], "") == b"1"


def test_the_plaintext_is_in_no_log_no_traceback_no_file_and_no_git_object(tmp_path, caplog):
    values = {"connection": f"postgresql://u:{CANARY}@pg/airflow", "bad key": CANARY}
    with caplog.at_level(logging.DEBUG), pytest.raises(UserError) as caught:
        seal(stub("db", "team", ["connection"]), values)
    sealed = seal(stub("db", "team", ["connection"]), {"connection": values["connection"]})
    (tmp_path / "secret.json").write_text(json.dumps(sealed))
    for command in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    listed = subprocess.run(
        ["git", "cat-file", "--batch", "--batch-all-objects"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    ).stdout
    assert b"encryptedData" in listed
    assert CANARY.encode() not in listed
    assert CANARY not in caplog.text
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert all(
        CANARY.encode() not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()
    )
