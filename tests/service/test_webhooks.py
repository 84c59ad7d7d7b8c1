import copy
import hmac
import json

import pytest

from generator.forge.port import ForgeKind
from service.store import overview, tables
from service.webhook.payload import text
from tests.effort import pick
from tests.service import scene
from tests.service.webapp import application, deliver
from tools import forge_published

HEAD = scene.sha_of(1)
BODY = scene.pull_body("team/one", 1, HEAD)


@pytest.fixture
def served(tmp_path):
    with application(tmp_path) as found:
        yield found


def states(here):
    with here.engine.connect() as connection:
        query = tables.run.select().order_by(tables.run.c.queued)
        return [(row.kind, row.number, row.reason, row.state) for row in connection.execute(query)]


def kept(here):
    with here.engine.connect() as connection:
        return [dict(row._mapping) for row in connection.execute(tables.delivery.select())]


def test_a_signed_delivery_is_kept_and_queued(served):
    client, here = served
    answer = deliver(client, BODY)
    assert (answer.status_code, answer.json["status"]) == (202, "queued")
    assert states(here) == [("check", 1, "opened", "queued")]
    [row] = kept(here)
    assert (row["id"], row["run"], row["content"]["head_sha"]) == ("d1", answer.json["run"], HEAD)


def test_a_redelivery_and_a_replay_are_attached_to_the_run(served):
    client, here = served
    run = deliver(client, BODY).json["run"]
    for delivery in ("d1", "an unsigned id can be anything"):
        answer = deliver(client, BODY, delivery)
        assert answer.json == {"status": "duplicate", "run": run}
        assert answer.status_code == 202
    assert len(states(here)) == 1


def test_a_redelivery_of_what_was_given_up_is_worked_on_again(served):
    client, here = served
    run = deliver(client, BODY).json["run"]
    with here.engine.begin() as connection:
        connection.execute(tables.run.update().values(state="dead"))
    again = deliver(client, BODY).json
    assert again["status"] == "queued" and again["run"] != run


def test_a_newer_event_takes_over(served):
    client, here = served
    deliver(client, BODY)
    deliver(client, scene.pull_body("team/one", 1, scene.sha_of(2), "synchronized"), "d2")
    assert [state for *_, state in states(here)] == ["superseded", "queued"]


def test_merging_and_closing_are_answered(served):
    client, here = served
    closed = scene.pull_body("team/one", 1, HEAD, "closed")
    merged = scene.pull_body("team/one", 2, HEAD, "closed")
    merged["pull_request"] |= {"merged": True, "merge_commit_sha": scene.sha_of("m")}
    deliver(client, scene.pull_body("team/one", 2, HEAD), "d0")
    deliver(client, closed, "d1")
    deliver(client, merged, "d2")
    assert [found[:3] for found in states(here)] == [
        ("check", 2, "opened"),
        ("check", 1, "closed"),
        ("merge", 2, "merged"),
        ("check", 2, "closed"),
    ]
    assert states(here)[0][-1] == "superseded"
    # Neither of them is open any more.
    with here.engine.connect() as connection:
        assert overview.pulls(connection, 10) == []


def test_a_merge_into_another_branch_only_ends_the_check(served):
    client, here = served
    merged = scene.pull_body("team/one", 1, HEAD, "closed")
    merged["pull_request"] |= {"merged": True, "merge_commit_sha": scene.sha_of("m")}
    merged["pull_request"]["base"]["ref"] = "other"
    deliver(client, merged, "d1")
    assert [found[:3] for found in states(here)] == [("check", 1, "closed")]


def test_a_label_asks_the_gates_alone(served):
    client, here = served
    deliver(client, scene.pull_body("team/one", 1, HEAD, "label_updated"), "d1")
    assert [found[:3] for found in states(here)] == [("gates", 1, "labeled")]


def test_only_the_default_branch_is_worked_on(served):
    client, here = served
    push = {"repository": {"full_name": "team/one"}, "after": HEAD}
    assert deliver(client, {**push, "ref": "refs/heads/x"}, "d1", "push").status_code == 200
    assert deliver(client, {**push, "ref": "refs/heads/main"}, "d2", "push").status_code == 202
    assert [kind for kind, *_ in states(here)] == ["push", "merge"]


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("signature", "status"),
    [("0" * 64, 401), ("", 401), ("\xe9", 401), ("é".encode().decode("latin1"), 401)],
)
def test_a_wrong_signature_changes_nothing(served, signature, status):
    client, here = served
    assert deliver(client, BODY, **{"X-Gitea-Signature": signature}).status_code == status
    assert kept(here) == []


def test_an_unknown_connection_is_refused(served):
    assert deliver(served[0], BODY, connection="other").status_code == 404


@pytest.mark.parametrize("name", ["other/repository", "team/one/more", "team"])
def test_a_secret_does_not_speak_for_other_repositories(served, name):
    client, here = served
    assert deliver(client, scene.pull_body(name, 1, HEAD)).status_code == 403
    assert kept(here) == []


def test_the_repositorys_case_makes_no_second_queue(served):
    client, here = served
    deliver(client, scene.pull_body("Team/ONE", 1, HEAD))
    with here.engine.connect() as connection:
        assert connection.execute(tables.run.select()).one().repository == "team/one"


@pytest.mark.few(2)
@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b"[" * 50_000, b'{"a":' + b"1" * 6000 + b"}"])
def test_a_signed_body_that_is_no_object_is_refused(served, raw):
    assert deliver(served[0], raw).status_code == 400


def test_too_large_a_body_is_refused_before_it_is_read(tmp_path):
    with application(tmp_path, bodyBytes=1000) as (client, _):
        assert deliver(client, b"x" * 1001).status_code == 413


def test_without_a_secret_deliveries_are_refused(tmp_path):
    def without(settings):
        connections = tuple(
            scene.changed(item, webhook_secrets=()) for item in settings.connections
        )
        return scene.changed(settings, connections=connections)

    with application(tmp_path, edit=without) as (client, _):
        assert deliver(client, BODY).status_code == 501


def test_a_full_queue_is_told_and_nothing_is_kept(tmp_path):
    with application(tmp_path, queueDepth=1) as (client, here):
        assert deliver(client, BODY).status_code == 202
        here.intake._counted = (0.0, 0)  # as if a second had gone by
        answer = deliver(client, scene.pull_body("team/one", 2, HEAD), "d2")
        assert answer.status_code == 503
        assert len(kept(here)) == 1


def test_a_database_that_is_away_is_told(served):
    client, here = served
    with here.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE gen_env_delivery")
    assert deliver(client, BODY).status_code == 503


def mutations(data, path=()):
    """Every key dropped, nulled and retyped, one at a time."""
    items = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in list(items):
        for change in ("drop", None, 7, "x" * 2000, [], {"a": {}}, True, -1, "\0"):
            made = copy.deepcopy(data)
            if change == "drop":
                del made[key]
            else:
                made[key] = change
            yield made
        if isinstance(value, dict | list):
            for inner in mutations(value):
                made = copy.deepcopy(data)
                made[key] = inner
                yield made


@pytest.mark.thorough
def test_no_mutation_of_a_delivery_is_our_error(served):
    client, _ = served
    for number, body in enumerate(mutations(BODY)):
        status = deliver(client, body, f"m{number}").status_code
        assert status in (200, 202, 403), (status, body)


def signing(kind, name, raw, delivery, secret):
    signature = hmac.new(secret.encode(), raw, "sha256").hexdigest()
    match kind:
        case ForgeKind.GITHUB:
            return {"X-GitHub-Event": name, "X-GitHub-Delivery": delivery,
                    "X-Hub-Signature-256": f"sha256={signature}"}  # fmt: skip
        case ForgeKind.GITLAB:
            return {"X-Gitlab-Event": name, "X-Gitlab-Event-UUID": delivery,
                    "X-Gitlab-Token": secret}  # fmt: skip
        case ForgeKind.GITEA:
            return {"X-Gitea-Event": name, "X-Gitea-Delivery": delivery,
                    "X-Gitea-Signature": signature}  # fmt: skip


def repository_of(data):
    return text(data, "repository", "full_name") or text(data, "project", "path_with_namespace")


def test_published_deliveries_are_answered(tmp_path):
    found = [(ForgeKind(kind), event, body) for kind, event, body in forge_published.deliveries()]
    if not found:
        pytest.skip(forge_published.missing("recorded deliveries"))
    names = tuple(sorted({repository_of(data) for *_, data in found} - {""}))

    def serving(settings):
        [first] = settings.connections
        kinds = tuple(
            scene.changed(first, name=kind.value, forge=kind.value, repositories=names)
            for kind in ForgeKind
        )
        return scene.changed(settings, connections=kinds)

    with application(tmp_path, edit=serving) as (client, here):
        here.intake._most = 10**9
        asked = 0
        for number, (kind, name, data) in enumerate(found[:: pick(12, 1)]):
            variants = [data]
            if number % 12 == 0:  # each mutation costs milliseconds: a sample of the samples
                variants += list(mutations(data))[:: max(1, len(json.dumps(data)) // 200)]
            for place, variant in enumerate(variants):
                raw = json.dumps(variant).encode()
                good = signing(kind, name, raw, f"{number}-{place}", scene.SECRET)
                bad = signing(kind, name, raw, f"{number}-{place}", scene.SECRET + "x")
                url = f"/webhooks/{kind.value}"
                assert client.post(url, data=raw, headers=bad).status_code == 401
                status = client.post(url, data=raw, headers=good).status_code
                # A mutation may name another repository, or none at all.
                assert status in ((200, 202) if not place else (200, 202, 403)), (name, status)
                asked += 1
        assert asked >= len(found) // pick(12, 1)
