import base64
import urllib.parse

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from generator.render.redaction import MASK, redact
from tests.effort import examples

CANARY = "c4nary-S3cret"


@pytest.mark.parametrize(
    "message",
    [
        f"at '/data/pass': '{CANARY}' does not match pattern '^a$'",
        f"'{CANARY}' is not valid email: missing @",
        f'cannot parse template "{{{{ {CANARY} }}}}": gotpl:1: bad number syntax: "{CANARY}"',
        f'error during tpl function execution for "x{CANARY}": template: gotpl:1:3: at <{CANARY}>',
        f"error unmarshaling JSON: cannot unmarshal !!str `{CANARY[:6]}...` into int",
        f"range can't iterate over {CANARY}",
        f"invalid value {base64.b64encode(CANARY.encode()).decode()}",
        f"postgresql://airflow:{urllib.parse.quote(CANARY)}@db/airflow refused",
        f"prefix{CANARY}suffix",
    ],
)
def test_a_secret_in_a_message_is_masked(message):
    values = {"data": {"pass": CANARY, "tpl": f"{{{{ {CANARY} }}}}"}}
    clean = redact(message, values)
    assert CANARY not in clean
    assert CANARY[:6] not in clean
    assert MASK in clean


def test_a_part_of_a_longer_value_is_masked():
    values = {
        "extraEnv": f"- name: TOKEN\n  value: {CANARY}\n",
        "data": {"uri": f"postgresql://u:{CANARY}@db:5432/airflow?sslmode=require"},
    }
    assert redact(f"yaml: {CANARY}: unexpected", values) == f"yaml: {MASK}: unexpected"


def test_a_word_is_masked_where_secrets_live_and_shown_where_they_do_not():
    message = "'Foo' and hunter: Foo"
    assert redact(message, {"executor": "Foo"}) == message
    assert redact("hunter: no", {"data": {"pass": "hunter"}}) == f"{MASK}: no"


def test_a_masked_word_leaves_longer_words_alone():
    values = {"data": {"pass": "ring"}}
    assert redact("keyring, ring", values, {"keyring"}) == f"keyring, {MASK}"


def test_words_of_the_chart_stay_as_parts_of_a_value():
    values = {"data": {"uri": f"postgresql://airflow:{CANARY}@db/airflow"}}
    message = f"postgresql.auth is wrong: {CANARY}"
    assert redact(message, values, {"postgresql"}) == f"postgresql.auth is wrong: {MASK}"


def test_the_name_that_a_template_lacks_stays():
    message = 'cannot parse template "{{ ti.xcom }}": template: gotpl:1: function "ti" not defined'
    clean = redact(message, {"config": {"core": {"x": "{{ ti.xcom }}"}}})
    assert clean.endswith('gotpl:1: function "ti" not defined')
    assert "xcom" not in clean


def test_keys_stay():
    message = "at '/scheduler': additional properties 'replica_count' not allowed"
    assert redact(message, {"scheduler": {"replica_count": 3}}) == message


def test_numbers_are_masked_as_wholes():
    values = {"pin": 80912}
    assert redact("got 80912, line 8091", values) == f"got {MASK}, line 8091"


def test_a_message_is_cut_to_a_bearable_length():
    assert len(redact("x" * 100_000, {})) < 2_100


secrets = st.text(st.characters(min_codepoint=33, max_codepoint=0x17F), min_size=8, max_size=40)


@examples(200)
@given(secrets, st.sampled_from(["{}", "'{}'", '"{}"', "a{}b", "x: {}\ny", "<{}>", "gotpl {}"]))
def test_no_secret_survives_in_any_surrounding(secret, frame):
    assume(MASK not in secret and secret not in frame)
    clean = redact(frame.format(secret), {"data": {"password": secret}})
    assert secret not in clean
