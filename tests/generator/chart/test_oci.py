import dataclasses
import hashlib
import json

import pytest

from generator.chart.chart import ChartError
from generator.chart.http import POLICY, Client, Credentials
from generator.chart.source import OciSource, pull, versions
from generator.core.http_policy import FetchError
from tests.fakes.chart_server import Answer, serving
from tests.generator.chart.samples import FILES, archive_of

DATA = archive_of(FILES)
BASE = "/v2/charts/airflow"
LAYER = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"


def sha(data):
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def manifest(media=LAYER, digest=None):
    return json.dumps(
        {
            "schemaVersion": 2,
            "config": {"mediaType": "application/vnd.cncf.helm.config.v1+json"},
            "layers": [
                {"mediaType": "application/vnd.cncf.helm.chart.provenance.v1.prov"},
                {"mediaType": media, "digest": digest or sha(DATA), "size": len(DATA)},
            ],
        }
    ).encode()


@pytest.fixture
def server():
    with serving() as running:
        running.answers[f"{BASE}/manifests/1.22.0"] = Answer(
            manifest(), headers={"Docker-Content-Digest": sha(manifest())}
        )
        running.answers[f"{BASE}/blobs/{sha(DATA)}"] = DATA
        running.answers[f"{BASE}/tags/list"] = Answer(
            b'{"tags": ["1.9.0", "latest"]}',
            headers={"Link": f'<{BASE}/tags/list?last=latest>; rel="next"'},
        )
        running.answers[f"{BASE}/tags/list?last=latest"] = b'{"tags": ["1.22.0", "1.23.0-rc.1_b5"]}'
        yield running


@pytest.fixture
def client():
    return Client(sleep=lambda seconds: None)


@pytest.fixture
def source(server):
    return OciSource(f"oci://{server.host}/charts/airflow")


def protect(server, challenge, token):
    """Every path wants `token`; the realm `/token` is open."""
    refusal = Answer(status=401, headers={"WWW-Authenticate": challenge})

    def guarded(answer):
        return lambda headers: answer if headers.get("authorization") == token else refusal

    for path, answer in list(server.answers.items()):
        server.answers[path] = guarded(answer)


def test_a_chart_is_pulled_by_its_tag(source, client):
    assert pull(source, "1.22.0", client) == DATA


def test_a_range_is_looked_up_in_the_tags_page_by_page(source, server, client):
    assert pull(source, "~1.22", client) == DATA
    assert versions(source, client) == ("1.23.0-rc.1+b5", "1.22.0", "1.9.0")


def test_build_metadata_becomes_an_underscore_in_the_tag(source, server, client):
    server.answers[f"{BASE}/manifests/1.22.0_b1"] = manifest()
    assert pull(source, "1.22.0+b1", client) == DATA


def test_a_registry_that_hands_out_tokens_to_everybody_is_asked_for_one(source, server, client):
    scope = "service=reg&scope=repository%3Acharts%2Fairflow%3Apull"
    asked = "scope=repository%3Acharts%2Fairflow%3Apull&service=reg"
    protect(server, f'Bearer realm="{server.url}/token",service="reg"', "Bearer abc")
    server.answers[f"/token?{scope}"] = server.answers[f"/token?{asked}"] = b'{"token": "abc"}'
    assert pull(source, "1.22.0", client) == DATA
    token_requests = [h for path, h in server.asked if path.startswith("/token")]
    assert len(token_requests) == 1
    assert "authorization" not in token_requests[0]


def test_a_registry_with_accounts_gets_them_at_its_realm(source, server, client):
    protect(server, f'Bearer realm="{server.url}/token?a=b"', "Bearer abc")
    server.answers["/token?a=b&scope=repository%3Acharts%2Fairflow%3Apull"] = lambda headers: (
        Answer(b'{"access_token": "abc"}')
        if headers.get("authorization") == "Basic YW5uOnBhc3M="
        else Answer(status=401)
    )
    private = OciSource(source.url, Credentials("ann", "pass"))
    assert pull(private, "1.22.0", client) == DATA
    with pytest.raises(FetchError, match="401"):
        pull(source, "1.22.0", client)


def test_a_registry_may_want_basic_authentication(source, server, client):
    protect(server, "Basic realm=x", "Basic YW5uOnBhc3M=")
    assert pull(OciSource(source.url, Credentials("ann", "pass")), "1.22.0", client) == DATA
    with pytest.raises(FetchError, match="requires credentials"):
        pull(source, "1.22.0", client)


def test_wrong_credentials_are_told_and_not_repeated(source, server, client):
    protect(server, "Basic realm=x", "Basic other")
    with pytest.raises(FetchError) as caught:
        pull(OciSource(source.url, Credentials("ann", "hunter2")), "1.22.0", client)
    assert caught.value.status == 401
    assert "hunter2" not in caught.value.message


def test_a_realm_on_a_host_that_is_not_allowed_gets_nothing(source, server):
    with serving() as other:
        protect(server, f'Bearer realm="{other.url}/token"', "Bearer abc")
        bounded = Client(dataclasses.replace(POLICY, allowed_hosts=frozenset({server.host})))
        with pytest.raises(FetchError, match="not on the list of allowed hosts"):
            pull(OciSource(source.url, Credentials("ann", "pass")), "1.22.0", bounded)
        assert other.asked == []


def test_a_blob_may_be_redirected_to_storage_without_the_token(source, server, client):
    with serving() as storage:
        storage.answers["/blob"] = DATA
        server.answers[f"{BASE}/blobs/{sha(DATA)}"] = Answer(
            status=307, headers={"Location": f"{storage.url}/blob"}
        )
        protect(server, "Basic realm=x", "Basic YW5uOnBhc3M=")
        private = OciSource(source.url, Credentials("ann", "pass"))
        assert pull(private, "1.22.0", client) == DATA
        assert "authorization" not in storage.asked[0][1]


def test_a_server_that_is_redirected_to_gets_no_credentials_at_a_realm_of_its_own(server, client):
    with serving() as other:
        challenge = f'Bearer realm="{other.url}/token"'
        other.answers["/x"] = Answer(status=401, headers={"WWW-Authenticate": challenge})
        other.answers["/token?scope=repository%3Acharts%2Fairflow%3Apull"] = b'{"token": "abc"}'
        elsewhere = Answer(status=307, headers={"Location": f"{other.url}/x"})
        server.answers[f"{BASE}/manifests/1.22.0"] = elsewhere
        private = OciSource(f"oci://{server.host}/charts/airflow", Credentials("ann", "hunter2"))
        with pytest.raises(FetchError, match="redirects to a server that denies access"):
            pull(private, "1.22.0", client)
        assert other.paths() == ["/x"] and "authorization" not in other.asked[0][1]


def test_a_blob_that_is_not_what_the_manifest_says_is_refused(source, server, client):
    server.answers[f"{BASE}/blobs/{sha(DATA)}"] = DATA + b"\0"
    with pytest.raises(ChartError, match="the source states"):
        pull(source, "1.22.0", client)


def test_a_manifest_that_is_not_what_its_header_says_is_refused(source, server, client):
    server.answers[f"{BASE}/manifests/1.22.0"] = Answer(
        manifest(), headers={"Docker-Content-Digest": sha(b"other")}
    )
    with pytest.raises(ChartError, match="the source states"):
        pull(source, "1.22.0", client)


@pytest.mark.parametrize(
    "body",
    [
        manifest(media="application/vnd.oci.image.layer.v1.tar+gzip"),
        manifest(digest="md5:x"),
        b"{}",
    ],
)
def test_an_image_in_the_place_of_a_chart_is_told(source, server, client, body):
    server.answers[f"{BASE}/manifests/1.22.0"] = body
    with pytest.raises(FetchError, match="not a Helm chart"):
        pull(source, "1.22.0", client)


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b"[" * 100_000])
def test_an_answer_that_is_no_json_object_is_told(source, server, client, body):
    server.answers[f"{BASE}/manifests/1.22.0"] = body
    with pytest.raises(FetchError, match="not a valid registry response"):
        pull(source, "1.22.0", client)


def test_a_tag_that_is_not_there_is_a_clear_error(source, client):
    with pytest.raises(FetchError, match="404"):
        pull(source, "1.99.0", client)
    with pytest.raises(FetchError, match=r"version \^3 not found"):
        pull(source, "^3", client)


def test_pages_that_lead_to_another_host_are_refused(source, server, client):
    server.answers[f"{BASE}/tags/list"] = Answer(
        b'{"tags": []}', headers={"Link": '<https://evil.example/x>; rel="next"'}
    )
    with pytest.raises(FetchError, match="another host"):
        versions(source, client)


@pytest.mark.parametrize(
    "url",
    ["https://h/charts/x", "oci://", "oci://h", "oci://h/UP", "oci://h/../x", "oci://u:p@h/x"],
)
def test_what_is_no_oci_reference_is_refused(client, url):
    with pytest.raises(FetchError) as caught:
        pull(OciSource(url), "1.22.0", client)
    assert "u:p" not in caught.value.message
