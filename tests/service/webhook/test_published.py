"""Every recorded delivery, with every key dropped, nulled and retyped: read without a fault."""

import json

import pytest

from generator.forge.port import ForgeKind
from service.queue.intake import content_of, jobs_of
from service.settings.resolve import load
from service.webhook.extract import event_of
from tests.effort import pick
from tests.service import scene
from tools import forge_published

HEADERS = {
    ForgeKind.GITHUB: "x-github-event",
    ForgeKind.GITLAB: "x-gitlab-event",
    ForgeKind.GITEA: "x-gitea-event",
}
MISSING = object()
# Of every kind of JSON one that hurts: what an encoder, a database or a comparison chokes on.
CHANGES = (MISSING, None, True, -1, 2**70, 0.5, "\ud800\0" * 9, [[]], {"id": {}})


def mutated(data):
    """The same object again and again, each time with one other change somewhere inside."""
    places = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in list(places):
        for change in CHANGES:
            if change is not MISSING:
                data[key] = change
                yield
            elif isinstance(data, dict):
                del data[key]
                yield
        data[key] = value
        if isinstance(value, dict | list):
            yield from mutated(value)


@pytest.fixture
def connection(tmp_path):
    return load(scene.write_settings(tmp_path, "http://127.0.0.1:9", 8080), {}).connections[0]


def recorded():
    found = [(ForgeKind(kind), event, body) for kind, event, body in forge_published.deliveries()]
    if not found:
        pytest.skip(forge_published.missing("recorded deliveries"))
    return found


def test_every_mutation_of_every_recorded_delivery_is_read(connection):
    read = 0
    for kind, name, data in recorded()[:: pick(20, 1)]:
        for _ in mutated(data):
            event = event_of(kind, {HEADERS[kind]: name}, data)
            jobs = jobs_of(connection, event)
            # What is stored must survive the database's encoding.
            if jobs:
                json.dumps([content_of(event), [job.details for job in jobs]]).encode()
                assert all(job.key.isprintable() for job in jobs)
            read += 1
    assert read > pick(1_000, 100_000)


def test_recorded_deliveries_lead_to_work(connection):
    """So that the test above reads more than what is ignored."""
    kinds = set()
    for kind, name, data in recorded():
        event = event_of(kind, {HEADERS[kind]: name}, data)
        # Each was recorded in a repository with a default branch of its own.
        branch = getattr(event, "base_ref", "") or connection.branch
        here = scene.changed(connection, branch=branch)
        kinds |= {(kind, job.kind.value) for job in jobs_of(here, event)}
    assert {(ForgeKind.GITHUB, "check"), (ForgeKind.GITHUB, "merge")} <= kinds
    assert {(ForgeKind.GITLAB, "check"), (ForgeKind.GITLAB, "merge")} <= kinds
