"""A worker serves several renders, and no render can tell: neither by its output nor by its end."""

import gc
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from generator.core.parallel import JOBS
from generator.render import workers
from generator.render.engine import SdkEngine
from generator.render.request import RenderFailure, RenderResult, canonical
from generator.render.worker import Answer, Limits
from generator.render.workers import Workers
from tests.generator.chart.samples import write
from tests.generator.render.samples import request

pytestmark = pytest.mark.thorough

# Whatever a render before could have changed, and this one would show.
LOOK_AROUND = {
    "config": {
        "name": '{{ include "airflow.name" . }} {{ .Chart.Name }} {{ .Release | toJson }}',
        "values": "{{ .Values | toJson }}",
        "cluster": "{{ .Capabilities.APIVersions | toJson }} {{ .Capabilities.KubeVersion }}",
        "template": "{{ .Template | toJson }}",
        "chart": "{{ .Chart | toJson }} {{ .Subcharts | toJson }}",
    }
}


@pytest.fixture
def chart(tmp_path):
    return write(tmp_path)


def pids(engine):
    return [worker._process.pid for _, worker in engine.workers._idle]


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def text(result):
    assert isinstance(result, RenderResult), result
    return canonical(result.manifests)


@pytest.mark.few(2)
@pytest.mark.always
@pytest.mark.parametrize(
    "changes",
    [
        {"values": {"postgresql": {"enabled": True, "port": 5433}}},
        {"kube_version": "1.33.1", "api_versions": ("evil.example.com/v1", "keda.sh/v1")},
        {"release": "other", "namespace": "other", "include_crds": True},
        {"values": {"config": {"x": '{{ define "airflow.name" }}evil{{ end }}'}}},
        {"values": {"config": {"x": '{{ $_ := set .Values "executor" "EvilExecutor" }}'}}},
        {"values": {"config": {"x": '{{ $_ := set $ "Release" (dict "Name" "evil") }}'}}},
        {"values": {"config": {"x": '{{ $_ := unset $ "Capabilities" }}'}}},
        {"values": {"config": {"x": '{{ $_ := set .Template "Name" "evil" }}'}}},
        {"values": {"config": {"x": '{{ $_ := set .Chart "Name" "evil" }}'}}},
        {"values": {"config": {"x": '{{ repeat 3000000 "x" | sha256sum }}'}}},
        {"values": {"global": {"evil": True}, "postgresql": {"enabled": True, "global": {}}}},
        {"values": {"scheduler": {"replicas": "evil"}}},
    ],
)
def test_nothing_of_a_render_is_left_for_the_next(chart, changes, monkeypatch):
    monkeypatch.setenv("GEN_ENV_WHOLE_CHARTS", "1")  # one archive, so one worker, for all of them
    alone = text(SdkEngine().render(request(chart, LOOK_AROUND)))
    engine = SdkEngine()
    assert text(engine.render(request(chart, LOOK_AROUND))) == alone
    [before] = pids(engine)
    hostile = engine.render(request(chart, **changes))
    assert pids(engine) == ([] if isinstance(hostile, RenderFailure) else [before])
    assert text(engine.render(request(chart, LOOK_AROUND))) == alone


@pytest.mark.always
def test_one_worker_and_several_give_the_same_bytes(chart):
    wanted = [request(chart, {"config": {"n": str(number)}}) for number in range(8)]
    one = SdkEngine()
    expected = [text(one.render(item)) for item in wanted]
    several = SdkEngine()
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda item: text(several.render(item)), wanted)) == expected
    assert len(pids(several)) <= JOBS


def test_a_worker_is_replaced_after_some_renders(chart):
    engine = SdkEngine()
    engine.workers._renders = 2
    seen = []
    for _ in range(4):
        assert text(engine.render(request(chart)))
        seen.append(pids(engine))
    assert [len(item) for item in seen] == [1, 0, 1, 0]
    assert seen[0] != seen[2]
    assert not any(alive(pid) for item in seen for pid in item)


def test_a_worker_serves_on_where_the_process_that_started_it_is_large(chart):
    engine, ballast = SdkEngine(limits=Limits(memory=1 << 30)), bytearray(400 << 20)
    engine.render(request(chart, {}))
    assert len(pids(engine)) == 1 and ballast


def test_a_worker_serves_one_chart_only(tmp_path):
    engine = SdkEngine()
    engine.render(request(write(tmp_path)))
    [first] = pids(engine)
    other = write(tmp_path, {"templates/more.yaml": ""}, name="airflow-other.tgz")
    assert text(engine.render(request(other)))
    assert first not in pids(engine)
    assert not alive(first)


def test_a_worker_that_was_killed_while_idle_is_not_noticed(chart):
    engine = SdkEngine()
    expected = text(engine.render(request(chart)))
    [pid] = pids(engine)
    os.kill(pid, signal.SIGKILL)
    assert text(engine.render(request(chart))) == expected


@pytest.mark.always
def test_the_death_of_one_render_harms_no_other(chart):
    engine = SdkEngine(limits=Limits(timeout=20))
    expected = text(engine.render(request(chart)))
    deadly = request(chart, {"config": {"x": '{{ repeat 2000000000 "xxxxxxxx" }}'}})
    with ThreadPoolExecutor(2) as pool:
        dying = pool.submit(engine.render, deadly)
        others = [pool.submit(engine.render, request(chart)) for _ in range(3)]
        assert dying.result().kind == "limit"
        assert [text(item.result()) for item in others] == [expected] * 3


def test_what_a_used_worker_dies_of_is_asked_of_a_fresh_one():
    answers = {False: Answer(kind="memory"), True: Answer(notes="fine")}
    assert _end_of_the_second(answers).notes == "fine"


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the worker in /proc")
def test_a_render_whose_worker_is_killed_gives_what_it_would_have_given(chart):
    engine = SdkEngine()
    expected = text(engine.render(request(chart)))
    slow = request(chart, {"config": {"x": "{{ range until 3000000 }}{{ end }}"}})
    [pid] = pids(engine)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(engine.render, slow)
        before = _seconds(pid)
        while _seconds(pid) < before + 0.1:
            assert not answer.done()
        os.kill(pid, signal.SIGKILL)
        assert isinstance(answer.result(), RenderResult)
    assert text(engine.render(request(chart))) == expected


def _seconds(pid):
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def test_a_death_that_nothing_explains_is_not_the_last_word():
    class Mortal:
        is_fresh, is_spent, left = True, True, 2

        def __init__(self, *_):
            pass

        def ask(self, job, files, *, renders):
            Mortal.left -= 1
            return Answer(kind="died") if Mortal.left else Answer(notes="fine")

        def end(self):
            pass

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workers, "Worker", Mortal)
        assert Workers(Limits(), None).run({"chart": "x"}).notes == "fine"
        Mortal.left = 9
        assert Workers(Limits(), None).run({"chart": "x"}).kind == "died"
    assert Mortal.left == 7


@pytest.mark.parametrize("kind", ["timeout", "cpu", "size", "helm"])
def test_what_does_not_depend_on_the_renders_before_is_asked_once(kind):
    answers = {False: Answer(kind=kind), True: Answer(notes="asked again")}
    assert _end_of_the_second(answers).kind == kind


def _end_of_the_second(answers):
    """What comes of a job in a used worker; `answers` by whether the worker is fresh."""

    class Fake:
        is_fresh, is_spent = True, False

        def __init__(self, *_):
            pass

        def ask(self, job, files, *, renders):
            answer = Answer() if job.get("first") else answers[self.is_fresh]
            self.is_fresh = False
            return answer

        def end(self):
            pass

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workers, "Worker", Fake)
        found = Workers(Limits(), None)
        found.run({"chart": "x", "first": True})
        return found.run({"chart": "x"})


def test_no_more_renders_run_at_once_than_there_are_turns(monkeypatch):
    running, most = 0, 0
    lock = threading.Lock()

    class Slow:
        is_fresh, is_spent = True, False

        def __init__(self, *_):
            pass

        def ask(self, job, files, *, renders):
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            threading.Event().wait(0.02)
            with lock:
                running -= 1
            return Answer()

        def end(self):
            pass

    monkeypatch.setattr(workers, "Worker", Slow)
    monkeypatch.setattr(workers, "_TURNS", threading.BoundedSemaphore(2))
    pools = [Workers(Limits(), None) for _ in range(2)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: pools[number % 2].run({"chart": "x"}), range(12)))
    assert most == 2
    assert sum(len(item._idle) for item in pools) <= 4


def test_idle_workers_end_with_their_engine(chart):
    engine = SdkEngine()
    engine.render(request(chart))
    [pid] = pids(engine)
    del engine
    gc.collect()
    assert not alive(pid)


def test_processor_time_is_that_of_one_render(chart):
    class Short(Limits):
        cpu = 3

    engine = SdkEngine(limits=Short())
    busy = request(chart, {"config": {"x": "{{ range until 400000 }}{{ end }}"}})
    served = [engine.render(busy) for _ in range(12)]
    assert all(isinstance(item, RenderResult) for item in served), served
    endless = request(
        chart, {"config": {"x": "{{ range until 9000000 }}{{ range until 99 }}{{ end }}{{ end }}"}}
    )
    assert "3 s of processor time" in engine.render(endless).message


def test_a_second_render_asks_no_schema_and_gives_the_same(tmp_path):
    engine, chart = SdkEngine(), write(tmp_path, {"templates/config.yaml": None})
    assert text(engine.again(request(chart))) == text(engine.render(request(chart)))
    refused = request(chart, {"executor": "lowercase"})
    assert engine.render(refused).kind == "schema"
    assert isinstance(engine.again(refused), RenderResult)
