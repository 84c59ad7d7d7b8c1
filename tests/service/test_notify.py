"""What needs a person reaches one, once, whatever the address does; and the work does not wait."""

import contextlib
import dataclasses
import http.server
import json
import logging
import resource
import threading
import time

import pytest
import sqlalchemy as sa

from generator.core.errors import UserError
from generator.redaction.secret import Secret
from service.model.job import Job, Kind, State
from service.settings.resolve import load
from service.settings.schema import Route
from service.store import overview, tables
from service.store.runs import Outcome
from service.worker import message, notify
from service.worker.notify import Sender
from tests.service import scene
from tests.service.test_runner import Port, Scene, pull
from tests.service.webapp import application

pytestmark = pytest.mark.filterwarnings("ignore:.imghdr. is deprecated")  # Apprise, at import
CANARY = "canary-path-9e1f"
VERIFY = Job(Kind.VERIFY, "forge", "team/one", 3, "merged", {"environment": "pay/prod", "sha": "a"})
FAILED = Outcome(State.FAILURE, "failed: the scheduler crashes", "a" * 40, {"pay/prod": "failed"})


class Receiver(http.server.ThreadingHTTPServer):
    """Takes messages; `answers` are the next statuses, `hang` is waited for first."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.taken, self.answers, self.hang, self.endless = [], [], None, False
        self.url = f"json://127.0.0.1:{self.server_port}/{CANARY}"


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.hang:
            self.server.hang.wait(30)
        status = self.server.answers.pop(0) if self.server.answers else 200
        if status == 200:
            self.server.taken.append(body)
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/login")
        if self.server.endless:
            self.end_headers()
            with contextlib.suppress(OSError):
                while True:
                    self.wfile.write(b"x" * (1 << 20))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self):
        self.server.taken.append(self.path)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def receiver():
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server
        server.shutdown()


@contextlib.contextmanager
def told(folder, *found):
    with application(folder, edit=lambda it: scene.changed(it, notifications=found)) as (_, here):
        yield here


def route_to(name, url="x", **about):
    return Route.model_construct(name=name, url=Secret(url), **about)


def keep(here, job=VERIFY, outcome=FAILED, now=None):
    with here.engine.begin() as connection:
        link, now = "https://gen-env/reports/r", now or time.time()
        notify.keep(connection, here.settings, job, outcome, link, now)


def rows(here):
    with here.engine.connect() as connection:
        return list(connection.execute(tables.notice.select()))


def due_now(here):
    with here.engine.begin() as connection:
        due = tables.notice.c.due
        connection.execute(tables.notice.update().where(due.is_not(None)).values(due=time.time()))


def test_a_failed_verification_is_told_once_and_with_harmless_words(tmp_path, receiver, caplog):
    caplog.set_level(logging.DEBUG)
    hostile = "failed: @everyone <!channel> [pay](https://evil.example) \x1b[31m `x`\n| *b*"
    with told(tmp_path, route_to("chat", receiver.url)) as here:
        for _ in range(3):
            keep(here, outcome=dataclasses.replace(FAILED, summary=hostile))
        sender = Sender(here.settings, here.engine)
        while sender.one(here.settings.notifications[0]):
            pass
    [message] = receiver.taken
    assert message["title"] == "gen-env: verification of pay/prod failed"
    lines = message["message"].splitlines()
    assert lines[1:] == [
        "repository: team/one #3",
        "environment: pay/prod (tier not known)",
        "https://gen-env/reports/r",
    ]
    assert not {"@everyone", "<!channel>", "](", "https://", "\x1b", "`", "*"} & set(
        lines[0].split()
    )
    for part in ("@everyone", "<", "](", "https://", "\x1b", "`", "*"):
        assert part not in lines[0]
    ours = [r for r in caplog.records if not r.name.startswith(("urllib3", "apprise"))]
    assert CANARY not in "".join(record.getMessage() for record in ours)
    # As the worker logs: nothing of theirs below an error.
    theirs = [r for r in caplog.records if r not in ours and r.levelno >= logging.ERROR]
    assert CANARY not in "".join(record.getMessage() for record in theirs)


def test_an_address_that_fails_is_tried_again_and_one_that_hangs_holds_up_itself(
    tmp_path, receiver, caplog
):
    slow, flaky = Receiver(), route_to("flaky", receiver.url)
    slow.hang, receiver.answers = threading.Event(), [500]
    threading.Thread(target=slow.serve_forever, args=(0.05,), daemon=True).start()
    with told(tmp_path, route_to("slow", slow.url), flaky) as here:
        keep(here)
        sender = Sender(here.settings, here.engine, patience=0.5)
        began = time.monotonic()
        assert not sender.one(here.settings.notifications[0])
        assert time.monotonic() - began < 25, "it hangs for 30 seconds"
        patient = Sender(here.settings, here.engine)
        assert not patient.one(flaky) and (receiver.taken, receiver.answers) == ([], [])
        due_now(here)
        assert not sender.one(here.settings.notifications[0])
        assert patient.one(flaky) and len(receiver.taken) == 1
        waiting = {row.route: (row.due is None, row.attempts) for row in rows(here)}
        assert waiting["flaky"] == (True, 2) and waiting["slow"][0] is False
    assert "notification to flaky not confirmed: tried again later" in caplog.text
    assert "notification to slow not confirmed: tried again later" in caplog.text
    slow.hang.set()
    slow.shutdown()
    slow.server_close()


def test_a_page_that_the_address_leads_to_has_not_taken_the_message(receiver):
    receiver.answers = [302]
    assert message.send(Secret(receiver.url), "title", "body", 30) is False
    assert receiver.taken == []


def test_an_address_that_answers_endlessly_neither_fills_the_memory_nor_takes_for_ever(receiver):
    receiver.endless = True
    before = _largest_child()
    began = time.monotonic()
    assert message.send(Secret(receiver.url), "title", "body", 60) is False
    assert time.monotonic() - began < 50, "its memory ends it, not its time"
    assert _largest_child() <= max(before, 400 << 10)


def _largest_child() -> int:
    """KiB of the largest process that has ended, of all tests of this process."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss


def test_what_ends_every_worker_is_not_sent_for_ever(tmp_path):
    with told(tmp_path, route_to("r")) as here:
        keep(here)
        for _ in range(8):
            with here.engine.begin() as connection:
                notify.notices.claim(connection, "r", time.time())
            due_now(here)
        [row] = rows(here)
    assert row.attempts == 6


def test_a_host_without_a_scheme_is_no_link_either():
    text = notify.plain("see www.evil.example/pay, README.md, 3.2.2-r1 at https://evil.example")
    assert "evil.example" not in text and "README.md" not in text and "://" not in text
    assert "3.2.2-r1" in text


def test_what_is_never_taken_is_given_up(tmp_path, caplog):
    with told(tmp_path, route_to("gone", "json://127.0.0.1:9/x")) as here:
        keep(here)
        sender = Sender(here.settings, here.engine, using=lambda *_: False)
        for _ in range(8):
            sender.one(here.settings.notifications[0])
            due_now(here)
        [row] = rows(here)
    assert (row.attempts, row.due) == (6, None)
    assert "notification to gone not confirmed: given up" in caplog.text


@pytest.mark.parametrize(
    ("route", "wanted"),
    [
        ({}, True),
        ({"events": ("failed",)}, True),
        ({"events": ("dead",)}, False),
        ({"teams": ("pay",)}, True),
        ({"teams": ("search",)}, False),
        ({"tiers": ("production",)}, True),
        ({"tiers": ("development",)}, False),
        ({"teams": ("pay",), "tiers": ("development",)}, False),
    ],
)
def test_a_route_hears_of_its_teams_tiers_and_events(route, wanted):
    found = route_to("r", **route)
    assert found.wants("failed", ["pay/prod"], {"pay/prod": "production"}) is wanted


def test_what_is_not_known_is_told_rather_than_not():
    route = route_to("r", tiers=("production",))
    assert route.wants("failed", ["pay/prod"], {})
    assert route.wants("dead", [], {})


def test_the_tier_is_that_of_the_default_branch(tmp_path):
    content = {"environments": [{"name": "pay/prod", "tier": "production"}]}
    chosen = [route_to("prod", tiers=("production",)),
              route_to("dev", "y", tiers=("development",))]  # fmt: skip
    with told(tmp_path, *chosen) as here:
        with here.engine.begin() as connection:
            overview.keep_branch(connection, "forge/team/one", "a", content, 1.0)
        keep(here)
        assert [row.route for row in rows(here)] == ["prod"]


@pytest.mark.parametrize(
    ("job", "outcome", "event"),
    [
        (VERIFY, FAILED, "verification of pay/prod failed"),
        (VERIFY, Outcome(State.ERROR, "unknown"), ""),
        (VERIFY, Outcome(State.SUCCESS, "fine"), ""),
        (Job(Kind.PROMOTE, "forge", "team/one"), Outcome(State.DONE, "1", "", {"p": "1"}),
         "promotion opened"),
        (Job(Kind.PROMOTE, "forge", "team/one"), Outcome(State.DONE, "may move on"), ""),
        (Job(Kind.ROLLBACK, "forge", "team/one"), Outcome(State.DONE, "1", "", {"p": "1"}),
         "rollback opened"),
        (Job(Kind.DRIFT, "forge", "team/one", details={"environment": "p"}),
         Outcome(State.FAILURE, "1 object", "a", {"p": "Job a/b"}), "p differs from git"),
        (Job(Kind.DRIFT, "forge", "team/one", details={"environment": "p"}),
         Outcome(State.ERROR, "not read", "a", {"p": "error"}), ""),
        (Job(Kind.GATES, "forge", "team/one", 4), Outcome(State.FAILURE, "x", "", {"p": "order"}),
         "a gate of #4 waits for a person"),
        (Job(Kind.GATES, "forge", "team/one", 4), Outcome(State.NEUTRAL, "opens later"), ""),
        (Job(Kind.CHECK, "forge", "team/one", 4), Outcome(State.FAILURE, "x"), ""),
        (Job(Kind.CHECK, "forge", "team/one", 4), Outcome(State.DEAD, "x"), "check given up"),
    ],
)  # fmt: skip
def test_what_people_are_told_of(tmp_path, job, outcome, event):
    with told(tmp_path, route_to("r")) as here:
        keep(here, job, outcome)
        found = [row.title.removeprefix("gen-env: ") for row in rows(here)]
    assert found == ([event] if event else [])


def test_a_run_that_is_given_up_is_told_with_its_record(tmp_path):
    with told(tmp_path, route_to("r")) as here:
        set_up = Scene(here, Port(pull()))
        identity = here.jobs.submit(Job(Kind.CHECK, "forge", "team/one", 1))
        set_up.runner.give_up(identity, "the forge is away", transient=True)
        [row] = rows(here)
    assert row.title == "gen-env: check given up" and "the forge is away" in row.body


def test_a_forge_that_is_away_and_stops_many_runs_is_told_once_an_hour(tmp_path):
    with told(tmp_path, route_to("r")) as here:
        for number in range(20):
            job = Job(Kind.CHECK, "forge", "team/one", number)
            keep(here, job, Outcome(State.DEAD, "the forge is away"), now=7200.0 + number)
        keep(here, job, Outcome(State.DEAD, "the disk is full"), now=7200.0)
        keep(here, job, Outcome(State.DEAD, "the forge is away"), now=10_800.0)
        assert len(rows(here)) == 3


def test_a_worker_sends_on_its_own_and_a_fault_does_not_end_that(tmp_path, monkeypatch):
    sent, stop, faults = threading.Event(), threading.Event(), [RuntimeError("away")]
    monkeypatch.setattr(notify, "_EVERY", 0.05)
    claim = notify.notices.claim
    fails = lambda *given: claim(*given) if not faults else (_ for _ in ()).throw(faults.pop())  # noqa: E731
    monkeypatch.setattr(notify.notices, "claim", fails)
    with told(tmp_path, route_to("r")) as here:
        keep(here)
        Sender(here.settings, here.engine, using=lambda *_: sent.set() or True).start(stop)
        assert sent.wait(30) and not faults
        stop.set()
        assert scene.wait_for(lambda: rows(here)[0].due is None, 30)


def test_the_address_is_a_secret_of_the_settings(tmp_path, monkeypatch):
    path = scene.write_settings(tmp_path, "http://127.0.0.1:9", 8080)
    data = json.loads(path.read_text())
    data["notifications"] = [{"name": "chat", "url": {"env": "CHAT_URL"}, "teams": ["pay"]}]
    path.write_text(json.dumps(data))
    with pytest.raises(UserError, match="CHAT_URL is not set"):
        load(path, {})
    settings = load(path, {"CHAT_URL": "json://h/canary"})
    [route] = settings.notifications
    assert route.url in settings.secrets and "canary" not in repr(settings)
    monkeypatch.setattr(message.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="Apprise is not installed"):
        message.require(settings.notifications)


def test_an_address_that_is_none_is_said_at_the_start_without_being_quoted():
    chosen = [route_to("chat", "slack://canary"), route_to("good", "json://h/x"),
              route_to("typo", "slak://canary")]  # fmt: skip
    with pytest.raises(UserError, match="the url of chat, typo") as caught:
        message.require(chosen)
    assert "canary" not in str(caught.value)
    message.require(chosen[1:2])


@pytest.mark.parametrize(
    ("part", "fault"),
    [({"tiers": ["prodction"]}, "tiers"), ({"teams": ["payments/"]}, r"teams\[0\]"),
     ({"events": ["fail"]}, "events")],
)  # fmt: skip
def test_a_route_that_nothing_could_take_is_a_fault_with_its_line(tmp_path, part, fault):
    path = scene.write_settings(tmp_path, "http://127.0.0.1:9", 8080)
    data = json.loads(path.read_text())
    data["notifications"] = [{"name": "chat", "url": {"env": "CHAT_URL"}, **part}]
    path.write_text(json.dumps(data, indent=1))
    with pytest.raises(UserError, match=fault) as caught:
        load(path, {"CHAT_URL": "json://h/x"})
    assert "line" in str(caught.value)


def test_no_two_workers_send_the_same(tmp_path):
    with told(tmp_path, route_to("r")) as here:
        keep(here)
        sent = []
        slow = lambda *words: sent.append(words) or time.sleep(0.2) or True  # noqa: E731
        senders = [Sender(here.settings, here.engine, using=slow) for _ in range(3)]
        threads = [
            threading.Thread(target=s.one, args=(here.settings.notifications[0],)) for s in senders
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with here.engine.connect() as connection:
            assert connection.execute(sa.select(tables.notice.c.due)).scalar() is None
    assert len(sent) == 1
