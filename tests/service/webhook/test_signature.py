import base64
import hashlib
import hmac

import pytest

from generator.forge.port import ForgeKind
from generator.redaction.secret import Secret
from service.webhook.signature import verify

# https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
GITHUB_SECRET = Secret("It's a Secret to Everybody")
GITHUB_BODY = b"Hello, World!"
GITHUB_SIGNATURE = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
# The Standard Webhooks specification's own example.
STANDARD_SECRET = Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
STANDARD_BODY = b'{"test": 2432232314}'
STANDARD = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
AT = 1614265330.0
OTHER = Secret("another secret of decent length")


def check(kind, headers, body, *secrets, now=AT):
    return verify(kind, headers, body, secrets, now=now)


def test_githubs_published_vector_is_accepted():
    headers = {"x-hub-signature-256": f"sha256={GITHUB_SIGNATURE}"}
    assert check(ForgeKind.GITHUB, headers, GITHUB_BODY, GITHUB_SECRET)


def test_the_standard_webhooks_vector_is_accepted():
    assert check(ForgeKind.GITLAB, STANDARD, STANDARD_BODY, STANDARD_SECRET)


@pytest.mark.parametrize("away", [-301, 301])
def test_a_signed_time_that_is_too_far_away_is_refused(away):
    assert not check(ForgeKind.GITLAB, STANDARD, STANDARD_BODY, STANDARD_SECRET, now=AT + away)


@pytest.mark.parametrize("header", ["x-gitea-signature", "x-forgejo-signature"])
def test_giteas_bare_signature_is_accepted(header):
    signature = hmac.new(OTHER.reveal(), b"body", hashlib.sha256).hexdigest()
    assert check(ForgeKind.GITEA, {header: signature}, b"body", OTHER)
    assert not check(ForgeKind.GITEA, {header: signature}, b"bodY", OTHER)


def test_gitlabs_token_is_compared_whole():
    headers = {"x-gitlab-token": OTHER.text()}
    assert check(ForgeKind.GITLAB, headers, b"anything", OTHER)
    assert not check(ForgeKind.GITLAB, {"x-gitlab-token": OTHER.text()[:-1]}, b"anything", OTHER)


def test_any_of_several_secrets_will_do():
    headers = {"x-hub-signature-256": f"sha256={GITHUB_SIGNATURE}"}
    assert check(ForgeKind.GITHUB, headers, GITHUB_BODY, OTHER, GITHUB_SECRET)
    assert check(ForgeKind.GITHUB, headers, GITHUB_BODY, GITHUB_SECRET, OTHER)


SIGNED = {
    ForgeKind.GITHUB: {"x-hub-signature-256": "sha256=" + hmac.new(b"", b"", "sha256").hexdigest()},
    ForgeKind.GITEA: {"x-gitea-signature": hmac.new(b"", b"", "sha256").hexdigest()},
    ForgeKind.GITLAB: {"x-gitlab-token": ""},
}


@pytest.mark.parametrize("kind", ForgeKind)
@pytest.mark.parametrize("secrets", [(), (Secret(b""),), (Secret("whsec_"),), (OTHER,)])
def test_without_the_secret_nothing_is_accepted(kind, secrets):
    assert not check(kind, SIGNED[kind], b"", *secrets)
    assert not check(kind, {}, b"", *secrets)


def test_an_empty_signing_key_signs_nothing():
    message = b"id.1614265330.body"
    forged = base64.b64encode(hmac.digest(b"", message, "sha256")).decode()
    headers = {
        "webhook-id": "id",
        "webhook-timestamp": "1614265330",
        "webhook-signature": f"v1,{forged}",
    }
    for secret in ("whsec_", "whsec_%%%"):
        assert not check(ForgeKind.GITLAB, headers, b"body", Secret(secret))


@pytest.mark.parametrize("odd", ["é", "\udcff", "sha256=é", "sha256=", "v1,", "\x00", "1" * 5000])
@pytest.mark.parametrize("kind", ForgeKind)
def test_odd_headers_are_refused_and_raise_nothing(kind, odd):
    names = ("x-hub-signature-256", "x-gitea-signature", "x-gitlab-token", "webhook-signature",
             "webhook-timestamp", "webhook-id")  # fmt: skip
    assert not check(kind, dict.fromkeys(names, odd), b"body", OTHER)
    assert not check(kind, {names[2]: odd}, b"body", OTHER)
    timed = {names[3]: odd, names[4]: "1614265330", names[5]: odd}
    assert not check(kind, timed, b"body", OTHER)


def test_a_signature_beside_a_token_does_not_fall_back_to_the_token():
    headers = {**STANDARD, "webhook-signature": "v1,AAAA", "x-gitlab-token": OTHER.text()}
    assert not check(ForgeKind.GITLAB, headers, STANDARD_BODY, OTHER)
