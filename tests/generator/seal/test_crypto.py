import base64

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from generator.redaction.secret import Secret
from generator.seal.crypto import encrypt, measure
from generator.seal.scopes import Scope, label
from tests.effort import examples
from tests.generator.seal.keypair import private_key, unseal

PUBLIC = private_key().public_key()
DNS_LABEL = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?", fullmatch=True)


@given(value=st.binary(max_size=4096), scope=st.sampled_from(Scope), ns=DNS_LABEL, name=DNS_LABEL)
@examples(60)
def test_arbitrary_bytes_come_back_in_every_scope(value, scope, ns, name):
    bound = label(scope, ns, name)
    assert unseal(encrypt(Secret(value), PUBLIC, bound), bound) == value


@pytest.mark.parametrize(
    ("sealed_for", "opened_for"),
    [
        ("team-a/db", "team-b/db"),
        ("team-a/db", "team-a/other"),
        ("team-a", "team-b"),
        ("", "team-a"),
    ],
)
def test_another_place_cannot_open_it(sealed_for, opened_for):
    ciphertext = encrypt(Secret("value"), PUBLIC, sealed_for)
    with pytest.raises(ValueError):
        unseal(ciphertext, opened_for)


def test_another_controller_cannot_open_it():
    with pytest.raises(ValueError):
        unseal(encrypt(Secret("value"), PUBLIC, "a/b"), "a/b", number=1)


def test_a_changed_ciphertext_is_noticed():
    raw = bytearray(base64.b64decode(encrypt(Secret("value"), PUBLIC, "a/b")))
    raw[-1] ^= 1
    with pytest.raises(InvalidTag):
        unseal(base64.b64encode(bytes(raw)).decode(), "a/b")


def test_sealing_twice_never_gives_the_same_ciphertext():
    assert len({encrypt(Secret("value"), PUBLIC, "a/b") for _ in range(5)}) == 5


@given(value=st.binary(max_size=300))
@examples(30)
def test_sizes_are_told_without_a_key(value):
    sizes = measure(encrypt(Secret(value), PUBLIC, "a/b"))
    assert (sizes.rsa, sizes.plaintext) == (256, len(value))


def test_line_ends_inside_a_ciphertext_do_no_harm():
    text = encrypt(Secret("value"), PUBLIC, "a/b")
    assert measure(text[:60] + "\n" + text[60:] + "\r\n") == measure(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not base64!",
        "aGVsbG8=",
        base64.b64encode(b"postgresql://airflow:secret@pg/airflow" * 20).decode(),
        base64.b64encode(b"\x01\x00" + bytes(256 + 15)).decode(),
        base64.b64encode(b"\x01\x01" + bytes(400)).decode(),
        "grün",
    ],
)
def test_what_was_never_sealed_is_recognised(text):
    assert measure(text) is None
