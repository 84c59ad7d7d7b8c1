"""What /metrics tells, read as Prometheus reads it."""

import types

import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from generator.forge.transport import Call
from generator.render.cache import Render
from service.model.job import State
from service.store import runs, tables
from service.telemetry import instrument
from service.telemetry.meter import METER, Flusher, Meter, histogram, labels_of, text_of
from tests.service import scene
from tests.service.webapp import application, deliver

BODY = scene.pull_body("team/one", 1, scene.sha_of(1))


@pytest.fixture(autouse=True)
def empty():
    """Numbers that other tests left are not ours to tell."""
    METER.__init__()


def families(client):
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain; version=0.0.4")
    found = list(text_string_to_metric_families(answer.text))
    assert len({family.name for family in found}) == len(found)
    assert all(family.documentation for family in found)
    return {family.name: family for family in found}


def samples(family):
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for sample in family.samples
    }


def by(told, label):
    return {dict(labels)[label]: value for (_, labels), value in told.items()}


def test_deliveries_and_the_queue_are_counted(tmp_path):
    with application(tmp_path) as (client, here):
        now = here.clock()
        deliver(client, BODY)
        deliver(client, BODY)
        with here.engine.begin() as connection:
            connection.execute(sa.text("update gen_env_run set queued = queued - 90"))
        found = families(client)
    told = samples(found["gen_env_deliveries"])
    assert found["gen_env_deliveries"].type == "counter"
    for outcome in ("queued", "duplicate"):
        labels = (("connection", "forge"), ("outcome", outcome))
        assert told["gen_env_deliveries_total", labels] == 1
    assert samples(found["gen_env_queue_depth"]) == {("gen_env_queue_depth", ()): 1}
    [age] = samples(found["gen_env_queue_age_seconds"]).values()
    assert 90 <= age < 90 + 60 and now
    assert found["gen_env_queue_age_seconds"].type == "gauge"


def test_runs_are_counted_by_outcome_and_their_durations_fall_into_buckets(tmp_path):
    with application(tmp_path) as (client, here):
        for number, seconds in ((1, 0.2), (2, 45.0), (3, 9999.0)):
            deliver(client, scene.pull_body("team/one", number, scene.sha_of(number)), f"d{number}")
            with here.engine.begin() as connection:
                identity = connection.scalar(
                    sa.text("select id from gen_env_run where number = :n"), {"n": number}
                )
                runs.begin(connection, identity, 100.0)
                outcome = runs.Outcome(State.SUCCESS if number < 3 else State.DEAD, "")
                assert runs.finish(connection, identity, outcome, 100.0 + seconds)
        deliver(client, scene.pull_body("team/one", 4, scene.sha_of(4)), "d4")
        deliver(client, scene.pull_body("team/one", 4, scene.sha_of(5)), "d5")
        found = families(client)
    ended = samples(found["gen_env_runs"])
    kind = ("kind", "check")
    assert ended["gen_env_runs_total", (kind, ("state", "success"))] == 2
    assert ended["gen_env_runs_total", (kind, ("state", "dead"))] == 1
    assert ended["gen_env_runs_total", (kind, ("state", "superseded"))] == 1
    durations = found["gen_env_run_duration_seconds"]
    assert durations.type == "histogram"
    told = samples(durations)
    name = "gen_env_run_duration_seconds"
    by_bound = {
        dict(labels)["le"]: value for (of, labels), value in told.items() if of == f"{name}_bucket"
    }
    assert (by_bound["0.1"], by_bound["0.25"], by_bound["60.0"], by_bound["1800.0"]) == (0, 1, 2, 2)
    assert by_bound["+Inf"] == told[f"{name}_count", (kind,)] == 3
    assert told[f"{name}_sum", (kind,)] == pytest.approx(0.2 + 45 + 9999)
    assert samples(found["gen_env_dead_letters"]) == {("gen_env_dead_letters", ()): 1}


def test_requests_to_the_forge_are_counted_by_status_with_what_it_still_allows(tmp_path):
    told = instrument.of_forge("forge")
    for status, left in ((200, "4999"), (200, "4998"), (403, "0"), (0, "")):
        headers = {
            "x-ratelimit-remaining": left,
            "x-ratelimit-limit": "5000",
            "x-ratelimit-reset": "1760000000",
        }
        told(Call("GET", "/repos", status, 0.0, 0.3, headers if status else {}))
    with application(tmp_path) as (client, _):
        found = families(client)
    calls = samples(found["gen_env_forge_requests"])
    assert by(calls, "status") == {"0": 1, "200": 2, "403": 1}
    forge = (("connection", "forge"),)
    left = found["gen_env_forge_rate_limit_remaining"]
    assert left.type == "gauge"
    assert samples(left) == {("gen_env_forge_rate_limit_remaining", forge): 0}
    [reset] = samples(found["gen_env_forge_rate_limit_reset_timestamp_seconds"]).values()
    assert reset == 1760000000
    took = samples(found["gen_env_forge_request_duration_seconds"])
    assert took["gen_env_forge_request_duration_seconds_count", forge] == 4


def test_renders_and_cache_hits_are_counted(tmp_path):
    told = instrument.of_renders()
    for outcome in ("rendered", "cached", "cached", "failed"):
        told(Render("airflow", outcome, 0.0, 1.5))
    with application(tmp_path) as (client, _):
        found = families(client)
    renders = {
        dict(labels)["result"]: value
        for (_, labels), value in samples(found["gen_env_renders"]).items()
    }
    assert renders == {"cached": 2, "failed": 1, "rendered": 1}
    # What comes from the cache would only blur how long a render takes.
    assert (
        samples(found["gen_env_render_duration_seconds"])[
            "gen_env_render_duration_seconds_count", ()
        ]
        == 1
    )


def test_a_failed_fetch_is_counted_as_one(tmp_path):
    with instrument.of_fetch():
        pass
    with pytest.raises(OSError), instrument.of_fetch():
        raise OSError
    with application(tmp_path) as (client, _):
        found = samples(families(client)["gen_env_git_fetches"])
    assert by(found, "result") == {"failed": 1, "fetched": 1}


def test_the_numbers_of_all_processes_add_up(tmp_path):
    with application(tmp_path) as (client, here):
        for _ in range(3):
            meter = Meter()  # a process each
            meter.add("renders", result="cached")
            meter.gauge("kept_bytes", 7, what="mirrors")
            flusher = Flusher(runs.writer(here.engine), meter)
            flusher.start()
            flusher.stop()
        found = families(client)
    assert list(samples(found["gen_env_renders"]).values()) == [3]
    assert list(samples(found["gen_env_kept_bytes"]).values()) == [7]


def test_numbers_that_cannot_be_written_are_kept_for_the_next_time():
    meter = Meter()
    meter.add("renders", result="cached")
    away = types.SimpleNamespace(begin=lambda: (_ for _ in ()).throw(OSError("away")))
    with pytest.raises(OSError):
        meter.flush(runs.writer(away))
    meter.add("renders", result="cached")
    engine = sa.create_engine("sqlite://")
    tables.metadata.create_all(engine)
    meter.flush(runs.writer(engine))
    with engine.connect() as connection:
        assert runs.tallies(connection) == [("renders", 'result="cached"', 2.0)]
    engine.dispose()


@pytest.mark.parametrize("value", ['a"b', "a\\b", "a\nb", "a,b=c", "ä }"])
def test_odd_labels_come_back_as_they_were(value):
    assert labels_of(text_of({"x": value, "a": "1"})) == {"x": value, "a": "1"}


def test_a_duration_on_the_bound_belongs_to_its_bucket():
    assert ("t_bucket", 'le="0.5"') in histogram("t", 0.5, {})
    assert ("t_bucket", 'le="+Inf"') in histogram("t", 1e6, {})
