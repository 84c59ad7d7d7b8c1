import pydantic
import pytest

from generator.model import base

GOOD = {
    base.Int: [("0", 0), ("-5", -5), (7, 7)],
    base.Count: [("10000", 10_000)],
    base.Positive: [("1", 1)],
    base.Port: [("1", 1), ("65535", 65535)],
    base.Bool: [("true", True), ("false", False), (True, True)],
    base.Text: [("010", "010"), (1, "1"), (True, "true"), (1.5, "1.5"), ("", "")],
    base.Line: [("a b", "a b")],
    base.Duration: [("30s", "30s"), ("1h30m", "1h30m"), ("1.5h", "1.5h"), ("500ms", "500ms")],
    base.Quantity: [("500m", "500m"), ("4Gi", "4Gi"), (".5", ".5"), ("1e3", "1e3"), ("2", "2")],
    base.Label: [("a", "a"), ("a-1", "a-1"), ("x" * 63, "x" * 63)],
    base.Name: [("a.b-c", "a.b-c")],
    base.Host: [("a.Example.com", "a.Example.com"), ("10.0.0.1", "10.0.0.1")],
    base.Digest: [("sha256:" + "a" * 64, "sha256:" + "a" * 64)],
    base.SubPath: [("a/b", "a/b"), ("", ""), ("a/..b", "a/..b")],
    base.EnvName: [("_A1", "_A1")],
    base.Version: [("3.2.2", "3.2.2"), ("10.20.30", "10.20.30")],
    base.Cidr: [("10.0.0.0/8", "10.0.0.0/8"), ("fd00::/8", "fd00::/8"), ("0.0.0.0/0", "0.0.0.0/0")],
}
BAD = {
    base.Int: ["", "1.5", "+1", "01", "0x1", "1_000", "one", None, [], True, 1.5],
    base.Count: ["-1", "10001"],
    base.Positive: ["0"],
    base.Port: ["0", "65536"],
    base.Bool: ["yes", "True", "1", "", None, 1],
    base.Text: [None, [], {}],
    base.Line: ["", "a\nb", "a\x00", "\x7f"],
    base.Duration: ["", "30", "s", "1d", "30 s", "-5s"],
    base.Quantity: ["", "1 Gi", "-1", "1GiB", "big"],
    base.Label: ["", "A", "a_b", "-a", "a-", "a.b", "x" * 64, "a\n"],
    base.Name: ["", "A", "a..b", ".a", "x" * 254],
    base.Host: ["", "https://a", "a:80", "a_b", "-a", "x" * 254, "a b"],
    base.Digest: ["", "sha256:abc", "a" * 64, "sha256:" + "A" * 64],
    base.SubPath: ["/a", "..", "a/../b", "../a", "a/..", "a\\b", "a\x00"],
    base.EnvName: ["", "1A", "A-B", "A B"],
    base.Version: ["", "3.2", "3.2.2rc1", "v3.2.2", "latest", "3.2.2 "],
    base.Cidr: ["", "10.0.0.0", "10.0.0.1/8", "10.0.0.0/33", "all"],
}


@pytest.mark.parametrize(
    ("kind", "given", "wanted"), [(k, *pair) for k, pairs in GOOD.items() for pair in pairs]
)
def test_what_a_field_takes(kind, given, wanted):
    found = pydantic.TypeAdapter(kind).validate_python(given)
    assert found == wanted and type(found) is type(wanted)


@pytest.mark.parametrize(
    ("kind", "given"), [(k, value) for k, values in BAD.items() for value in values]
)
def test_what_a_field_refuses(kind, given):
    with pytest.raises(pydantic.ValidationError):
        pydantic.TypeAdapter(kind).validate_python(given)


def test_every_kind_of_field_has_both():
    assert set(GOOD) == set(BAD)


@pytest.mark.parametrize(
    ("text", "seconds"), [("1h30m", 5400), ("500ms", 0.5), ("60h", 216_000), ("1m1s", 61)]
)
def test_durations_in_seconds(text, seconds):
    assert base.seconds_of(text) == seconds


class Sample(base.Spec):
    some_field: base.Int = 1


def test_fields_are_written_in_camel_case_alone():
    assert Sample.model_validate({"someField": "2"}).some_field == 2
    for wrong in ({"some_field": 2}, {"somefield": 2}, {"other": 1}):
        with pytest.raises(pydantic.ValidationError):
            Sample.model_validate(wrong)


def test_parts_are_frozen_and_errors_hold_no_input():
    with pytest.raises(pydantic.ValidationError):
        Sample().some_field = 2
    with pytest.raises(pydantic.ValidationError) as raised:
        Sample.model_validate({"someField": "canary-31"})
    assert "canary-31" not in str(raised.value)
