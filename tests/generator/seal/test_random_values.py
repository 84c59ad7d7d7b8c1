import base64

import pytest
from cryptography.fernet import Fernet

from generator.core.errors import UserError
from generator.seal import random_values


def test_a_generated_fernet_key_encrypts():
    box = Fernet(random_values.fernet_key().reveal())
    assert box.decrypt(box.encrypt(b"connection")) == b"connection"


def test_every_generated_value_is_new_and_long_enough():
    keys = ["fernet-key", "api-secret-key", "jwt-secret", "webserver-secret-key", "password"]
    first, second = random_values.generate(keys), random_values.generate(keys)
    assert sorted(first) == sorted(keys)
    assert all(first[key] != second[key] and first[key].size >= 44 for key in keys)
    assert len(base64.urlsafe_b64decode(first["jwt-secret"].text())) == 96


def test_passwords_need_no_escaping_anywhere():
    assert random_values.password().text().isalnum()


def test_keys_that_must_agree_with_a_server_are_refused_all_at_once():
    with pytest.raises(UserError, match=r"connection, users\.txt"):
        random_values.generate(["users.txt", "fernet-key", "connection"])
    assert not random_values.can_generate("connection")
    assert random_values.can_generate("fernet-key")
