import json
import re

import jsonschema
import pytest

from generator.core.basis import Basis, NotRead, Origin, Version
from service.model.job import Job, Kind, State
from service.settings.resolve import load
from service.store import reports, runs, tables
from service.store.reports import Report
from service.web import probes
from service.web.app import create_app
from service.web.openapi import DOCUMENT
from tests.service import scene
from tests.service.webapp import application, deliver

BEARER = {"Authorization": f"Bearer {scene.API}"}
BODY = scene.pull_body("team/one", 1, scene.sha_of(1))


@pytest.fixture
def served(tmp_path):
    with application(tmp_path) as (client, here):
        deliver(client, BODY)
        yield client, here


def without_token(settings):

    return scene.changed(settings, api_token=None)


def kill_run(here):
    with here.engine.begin() as connection:
        connection.execute(tables.run.update().values(state="dead", ended=1.0, summary="why"))
        return connection.execute(tables.run.select()).one()


def keep_report(here, html="<!doctype html><p>the report"):
    with here.engine.begin() as connection:
        row = connection.execute(tables.run.select()).one()
        reports.keep(connection, row.report, Report('{"a": 1}', html), 5.0)
        return row.report


def assert_described(path, method, answer):
    """The answer is one that the description promises."""
    described = DOCUMENT["paths"][path][method]["responses"][str(answer.status_code)]
    schema = described["content"]["application/json"]["schema"]
    jsonschema.validate(answer.json, {**schema, "components": DOCUMENT["components"]})


def test_every_route_is_described_and_every_description_has_a_route(served):
    client, _ = served
    rules = client.application.url_map.iter_rules()
    routes = {
        (re.sub(r"<(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in rules
        if rule.rule.startswith("/api/v1/") and not rule.rule.endswith("openapi.json")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    described = {(path, method) for path, item in DOCUMENT["paths"].items() for method in item}
    assert routes == described
    assert client.get("/api/v1/openapi.json").json == DOCUMENT


@pytest.mark.parametrize("path", ["/api/v1/deliveries", "/api/v1/checks", "/api/v1/reports"])
def test_answers_are_as_described(served, path):
    client, here = served
    keep_report(here)
    answer = client.get(path, headers=BEARER)
    assert answer.status_code == 200
    assert [len(rows) for rows in answer.json.values()] == [1]
    assert_described(path, "get", answer)
    for query in ("limit=0", "limit=201", "limit=x", "offset=-1", "limit=٣"):
        answer = client.get(f"{path}?{query}", headers=BEARER)
        assert answer.status_code == 400
        assert_described(path, "get", answer)


@pytest.mark.few(3)
@pytest.mark.parametrize("path", list(DOCUMENT["paths"]))
def test_without_the_right_token_nothing_is_answered(served, path):
    client, _ = served
    [method] = DOCUMENT["paths"][path]
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer é"}):
        answer = client.open(path.replace("{identity}", "x"), method=method, headers=headers)
        assert answer.status_code == 401
        assert_described(path, method, answer)


def test_without_a_token_set_the_api_is_off(tmp_path):
    with application(tmp_path, edit=without_token) as (client, _):
        assert client.get("/api/v1/checks", headers=BEARER).status_code == 403


def test_one_run_and_one_report_are_answered(served):
    client, here = served
    report = keep_report(here)
    [run] = client.get("/api/v1/checks?state=queued", headers=BEARER).json["checks"]
    one = client.get(f"/api/v1/checks/{run['id']}", headers=BEARER)
    assert one.json == run
    assert_described("/api/v1/checks/{identity}", "get", one)
    answer = client.get(f"/api/v1/reports/{report}", headers=BEARER)
    assert answer.json == {"id": report, "report": {"a": 1}}
    for place in ("checks", "reports"):
        missing = client.get(f"/api/v1/{place}/none", headers=BEARER)
        assert missing.status_code == 404
        assert_described(f"/api/v1/{place}/{{identity}}", "get", missing)
    assert client.get("/api/v1/checks?state=dead", headers=BEARER).json["checks"] == []
    assert client.get("/api/v1/checks?state=odd", headers=BEARER).status_code == 400


def test_only_what_was_given_up_can_be_tried_again(served):
    client, here = served
    path = "/api/v1/checks/{identity}/retry"
    run = client.get("/api/v1/checks", headers=BEARER).json["checks"][0]["id"]
    refused = client.post(path.format(identity=run), headers=BEARER)
    assert refused.status_code == 409
    kill_run(here)
    answer = client.post(path.format(identity=run), headers=BEARER)
    assert answer.status_code == 202 and answer.json["id"] != run
    for given in (refused, answer):
        assert_described(path, "post", given)
    assert client.post(path.format(identity=run), headers=BEARER).status_code == 409


def test_a_kept_report_is_shown_in_a_sandbox(served):
    client, here = served
    report = keep_report(here)
    answer = client.get(f"/reports/{report}")
    assert answer.text.endswith("the report")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-scripts; default-src 'none'")
    assert "allow-same-origin" not in policy
    assert client.get("/reports/none").status_code == 404


BASIS = Basis(Version("1.22.0", Origin.LOCK), not_read=(NotRead("pods", "data", "403"),))
VERIFY = {"environment": "payments/staging", "sha": scene.sha_of("merge"), "cluster": "main"}
DATA = {
    "environment": "payments/staging",
    "revision": VERIFY["sha"],
    "verdict": "failed",
    "message": "2 pods down",
    "basis": BASIS.as_json(),
    "conditions": [
        {"name": "synced", "status": "met", "message": "m", "evidence": "e", "time": "t"}
    ],
    "resources": [
        {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "n", "name": "scheduler",
         "status": "Degraded", "message": "m"}
    ],
    "diagnosis": [{"reason": "CrashLoopBackOff", "resource": "r", "message": "m", "log": ["x"]}],
}  # fmt: skip


@pytest.fixture
def verified(served):
    """Two verifications: one has failed, one of another environment waits."""
    client, here = served
    first = here.jobs.submit(Job(Kind.VERIFY, "forge", "team/one", 7, "merged", VERIFY))
    other = {**VERIFY, "environment": "staging"}
    here.jobs.submit(Job(Kind.VERIFY, "forge", "team/two", 0, "push", other))
    here.jobs.submit(Job(Kind.MERGE, "forge", "team/two", 0, "push", {"sha": VERIFY["sha"]}))
    with here.engine.begin() as connection:
        row = runs.begin(connection, first, 1.0)
        outcome = runs.Outcome(
            State.FAILURE, "failed: 2 pods down", VERIFY["sha"], {"payments/staging": "failed"}
        )
        runs.finish(connection, first, outcome, 2.0)
        reports.keep(connection, row.report, Report(json.dumps(DATA), "<p>"), 2.0)
    return client, here, first


def listed(client, query=""):
    answer = client.get(f"/api/v1/verifications?{query}", headers=BEARER)
    assert answer.status_code == 200
    assert_described("/api/v1/verifications", "get", answer)
    return [
        (found["environment"], found["verdict"], found["state"])
        for found in answer.json["verifications"]
    ]


def test_verifications_are_listed_and_chosen_by_what_they_are_about(verified):
    client, _, _ = verified
    failed = ("payments/staging", "failed", "failure")
    waiting = ("staging", "", "queued")
    assert sorted(listed(client)) == [failed, waiting]
    assert listed(client, "repository=team/one") == [failed]
    assert listed(client, "environment=staging") == [waiting]
    assert listed(client, "environment=%25") == []
    assert listed(client, f"sha={VERIFY['sha']}&limit=1") in ([failed], [waiting])
    assert listed(client, "sha=abc") == []
    answer = client.get("/api/v1/verifications?sha=%00", headers=BEARER)
    assert answer.status_code == 400
    assert_described("/api/v1/verifications", "get", answer)


def test_one_verification_is_answered_in_full(verified):
    client, here, first = verified
    path = "/api/v1/verifications/{identity}"
    answer = client.get(path.format(identity=first), headers=BEARER)
    assert_described(path, "get", answer)
    assert (answer.json["verdict"], answer.json["number"]) == ("failed", 7)
    assert answer.json["conditions"] == DATA["conditions"]
    assert answer.json["basis"]["notRead"] == [{"what": "pods", "where": "data", "reason": "403"}]
    with here.engine.begin() as connection:
        connection.execute(tables.report.delete())
    answer = client.get(path.format(identity=first), headers=BEARER)
    assert_described(path, "get", answer)
    assert (answer.json["diagnosis"], answer.json["basis"]) == ([], None)
    check = next(run["id"] for run in here.jobs.runs(kind=Kind.CHECK))
    for other in ("none", check):
        missing = client.get(path.format(identity=other), headers=BEARER)
        assert missing.status_code == 404
        assert_described(path, "get", missing)


def test_one_that_an_older_version_queued_is_listed_without_an_environment(served):
    client, here = served
    details = {"sha": scene.sha_of("merge"), "number": 3}
    identity = here.jobs.submit(Job(Kind.VERIFY, "forge", "team/one", 3, "merged", details))
    assert listed(client) == [("", "", "queued")]
    assert client.get(f"/api/v1/verifications/{identity}", headers=BEARER).status_code == 404


def test_a_verification_that_failed_can_be_asked_for_again(verified):
    client, _, first = verified
    answer = client.post(f"/api/v1/checks/{first}/retry", headers=BEARER)
    assert answer.status_code == 202 and answer.json["id"] != first
    assert ("payments/staging", "", "queued") in listed(client)
    assert client.post(f"/api/v1/checks/{first}/retry", headers=BEARER).status_code == 409


LOGIN = {"auth": ("anyone", scene.API)}
PAGES = ("/", "/pulls", "/runs", "/queue", "/audit")


def test_the_dashboard_shows_what_was_given_up_and_tries_it_again(served):
    client, here = served
    run = kill_run(here)
    page = client.get("/queue", **LOGIN)
    assert f"/runs/{run.id}/retry" in page.text and "why" in page.text
    assert "1 given up" in client.get("/", **LOGIN).text
    assert client.post(f"/runs/{run.id}/retry", **LOGIN).status_code == 303
    assert client.post(f"/runs/{run.id}/retry", **LOGIN).status_code == 409


def test_the_dashboard_links_only_reports_that_are_there(served):
    client, here = served
    with here.engine.connect() as connection:
        name = connection.execute(tables.run.select()).first().report
    for page in ("/runs", "/pulls"):
        assert f"/reports/{name}" not in client.get(page, **LOGIN).text
    keep_report(here)
    for page in ("/runs", "/pulls"):
        assert f"/reports/{name}" in client.get(page, **LOGIN).text


def test_the_dashboard_escapes_what_others_wrote(served):
    client, here = served
    with here.engine.begin() as connection:
        connection.execute(tables.run.update().values(summary="<script>x</script>", state="dead"))
    for page in PAGES:
        answer = client.get(page, **LOGIN)
        assert answer.status_code == 200 and "<script>x" not in answer.text


def test_the_dashboard_wants_the_token(served):
    client, _ = served
    assert {client.get(page).status_code for page in PAGES} == {401}
    assert client.get("/", auth=("x", "wrong")).status_code == 401
    assert client.get("/", headers=BEARER).status_code == 200


@pytest.mark.few(2)
@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
     {"Origin": "https://evil.example"}, {"Origin": "null"}],
)  # fmt: skip
def test_a_form_of_another_site_is_refused(served, headers):
    client, here = served
    run = kill_run(here)
    assert client.post(f"/runs/{run.id}/retry", headers=headers, **LOGIN).status_code == 403


def test_without_a_token_set_only_this_host_sees_the_dashboard(tmp_path):
    with application(tmp_path, edit=without_token) as (client, _):
        assert client.get("/", base_url="http://localhost:8080").status_code == 200
        # Another name for this host may be a page's own that points here.
        assert client.get("/", base_url="http://evil.example").status_code == 403
        far = {"REMOTE_ADDR": "192.0.2.7"}
        assert client.get("/", environ_base=far).status_code == 403
        assert client.get("/", headers={"X-Forwarded-For": "192.0.2.7"}).status_code == 403


def test_readiness_names_what_is_missing(served):
    client, here = served
    answer = client.get("/readyz")
    assert (answer.status_code, list(answer.json["failing"])) == (503, ["workers"])
    with here.engine.begin() as connection:
        connection.execute(tables.executor.insert().values(id="w", seen=here.clock()))
    assert client.get("/readyz").json == {"status": "ready", "failing": {}}
    with here.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE gen_env_run")
    assert "database" in client.get("/readyz").json["failing"]
    assert client.get("/healthz").status_code == 200


def test_readiness_is_true_to_a_locked_database_and_a_full_disk(served, monkeypatch):
    client, here = served
    with here.engine.connect() as other:
        other.exec_driver_sql("BEGIN IMMEDIATE")
        failing = client.get("/readyz").json["failing"]
        assert failing["database"] == "another process keeps the database locked"
        other.rollback()
    room = probes.shutil.disk_usage("/")._replace(free=1000)
    monkeypatch.setattr(probes.shutil, "disk_usage", lambda path: room)
    failing = client.get("/readyz").json["failing"]
    assert "database" not in failing and failing["storage"] == "the disk of the data folder is full"


@pytest.mark.thorough
def test_readiness_names_a_database_without_an_encoding(tmp_path, ascii_url):
    # Not prepared: a start would refuse it. So might a database look that was moved by hand.
    settings = load(scene.write_settings(tmp_path, "http://127.0.0.1:9", 8080, ascii_url), {})
    settings.data_dir.mkdir()
    app = create_app(settings)
    try:
        failing = app.test_client().get("/readyz").json["failing"]
        assert failing == {"database": "the database's encoding is SQL_ASCII; it must be UTF8"}
    finally:
        app.extensions["gen-env"].engine.dispose()
