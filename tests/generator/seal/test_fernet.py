import pytest
from cryptography.fernet import Fernet, MultiFernet

from generator.core.errors import UserError
from generator.redaction.secret import Secret
from generator.seal import fernet, random_values, sealing
from generator.seal.fernet import Stage
from generator.seal.sealed_secret import annotation, encrypted_data, stub
from tests.generator.seal.keypair import NOW, sealing_certificate, unseal

CERTIFICATE = sealing_certificate()
EMPTY = stub("airflow-fernet-key", "team", ["fernet-key"])
LABEL = "team/airflow-fernet-key"


def sealed(key):
    return sealing.seal(EMPTY, {"fernet-key": key}, CERTIFICATE, now=NOW)


def opened(manifest):
    return unseal(encrypted_data(manifest)["fernet-key"], LABEL).decode()


def start(manifest, old):
    return fernet.start(manifest, old, CERTIFICATE, now=NOW)


def test_a_rotation_keeps_everything_readable_at_every_step():
    old = random_values.fernet_key()
    single = sealed(old)
    token = Fernet(old.reveal()).encrypt(b"connection")

    both = start(single, old)
    box = MultiFernet([Fernet(key) for key in opened(both).split(",")])
    assert box.decrypt(token) == b"connection"
    renewed = box.rotate(token)

    last = fernet.finish(both, reencrypted=True)
    assert Fernet(opened(last)).decrypt(renewed) == b"connection"
    assert opened(last) != old.text()


def test_the_stage_is_told_from_the_manifest_alone():
    old = random_values.fernet_key()
    both = start(sealed(old), old)
    last = fernet.finish(both, reencrypted=True)
    stages = [fernet.stage(manifest) for manifest in (EMPTY, sealed(old), both, last)]
    assert stages == [Stage.UNSEALED, Stage.SINGLE, Stage.BOTH, Stage.SINGLE]
    assert list(encrypted_data(last)) == ["fernet-key"]


def test_a_second_rotation_works_on_the_result_of_the_first():
    old = random_values.fernet_key()
    first = fernet.finish(start(sealed(old), old), reencrypted=True)
    second = start(first, Secret(opened(first)))
    assert opened(second).endswith("," + opened(first))


def test_the_old_key_does_not_go_before_re_encryption():
    old = random_values.fernet_key()
    with pytest.raises(UserError, match="would be lost"):
        fernet.finish(start(sealed(old), old), reencrypted=False)


def test_steps_out_of_order_are_refused():
    old = random_values.fernet_key()
    with pytest.raises(UserError, match="unsealed"):
        start(EMPTY, old)
    with pytest.raises(UserError, match="is both"):
        start(start(sealed(old), old), old)
    with pytest.raises(UserError, match="no rotation to finish"):
        fernet.finish(sealed(old), reencrypted=True)


def test_a_key_that_was_generated_here_cannot_be_mistaken():
    old = random_values.fernet_key()
    manifest = fernet.record(sealed(old), old)
    with pytest.raises(UserError, match="not the Fernet key that was sealed"):
        start(manifest, random_values.fernet_key())
    assert fernet.stage(start(manifest, old)) is Stage.BOTH


def test_the_check_follows_the_new_key():
    old = random_values.fernet_key()
    manifest = fernet.record(sealed(old), old)
    last = fernet.finish(start(manifest, old), reencrypted=True)
    assert annotation(last, fernet.CHECK) != annotation(manifest, fernet.CHECK)
    assert fernet.stage(start(last, Secret(opened(last)))) is Stage.BOTH
    with pytest.raises(UserError, match="not the Fernet key"):
        start(last, old)


@pytest.mark.parametrize("old", ["", "canary", "x" * 43 + "=,canary", ("x" * 43 + "=") + "\n"])
def test_what_is_no_fernet_key_is_refused_and_not_quoted(old):
    with pytest.raises(UserError, match="not a Fernet key") as caught:
        start(sealed(random_values.fernet_key()), Secret(old))
    assert "canary" not in caught.value.message


def test_generating_never_replaces_a_live_key():
    manifest = sealed(random_values.fernet_key())
    with pytest.raises(UserError, match="sealed already"):
        fernet.require_replaceable(manifest, ["fernet-key"], generated=True)
    fernet.require_replaceable(manifest, ["fernet-key"], generated=False)
    fernet.require_replaceable(manifest, ["other"], generated=True)
    fernet.require_replaceable(EMPTY, ["fernet-key"], generated=True)


def test_nothing_replaces_a_key_in_the_midst_of_a_rotation():
    old = random_values.fernet_key()
    both = start(sealed(old), old)
    for key in ("fernet-key", fernet.NEXT_KEY):
        with pytest.raises(UserError, match="under way"):
            fernet.require_replaceable(both, [key], generated=False)
    fernet.require_replaceable(both, ["other"], generated=False)


def test_people_are_told_what_to_do_at_each_stage():
    texts = [
        fernet.instructions(found, namespace="team", workload="deploy/airflow-scheduler")
        for found in Stage
    ]
    assert len(set(texts)) == len(Stage)
    assert "exec deploy/airflow-scheduler -- airflow rotate-fernet-key" in texts[2]
    assert "--namespace team" in texts[2]
