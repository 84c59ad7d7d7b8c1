import pytest

from generator.core.errors import UserError
from generator.forge.credentials import App
from generator.forge.errors import Unauthorized
from generator.forge.port import Annotation, Check, CheckState, ForgeKind
from generator.redaction.secret import Secret
from tests.fakes.forge import SHA
from tests.generator.forge.forges import app_key, setting, with_app

APP = 701
MARKER = "<!-- m -->"


@pytest.fixture
def world():
    with setting() as made:
        with_app(made, user=APP)
        made.store.tokens.clear()
        yield made


@pytest.fixture
def port(world):
    return world.port(ForgeKind.GITHUB, App("12", app_key()))


def tokens_made(world):
    return [path for _, path in world.store.writes() if path.endswith("/access_tokens")]


def test_an_app_finds_its_installation_and_works_as_it(world, port):
    number = world.store.add_pull()
    assert port.get_pr(number).number == number
    assert tokens_made(world) == ["/api/v3/app/installations/77/access_tokens"]


def test_one_token_serves_until_shortly_before_its_end(world, port):
    world.store.add_pull()
    for seconds in (0, 1000, 2200):
        world.clock.now = world.store.clock = 1_800_000_000.0 + seconds
        port.get_pr(1)
    assert len(tokens_made(world)) == 1
    world.clock.now = world.store.clock = 1_800_000_000.0 + 3400
    port.get_pr(1)
    assert len(tokens_made(world)) == 2


def test_a_known_installation_is_not_looked_up(world):
    world.store.add_pull()
    world.port(ForgeKind.GITHUB, App("12", app_key(), "77")).get_pr(1)
    assert not any(seen.path.endswith("/installation") for seen in world.store.seen)


def test_the_app_knows_its_own_comments(world, port):
    number = world.store.add_pull()
    first = port.upsert_comment(number, MARKER, "one")
    assert port.upsert_comment(number, MARKER, "two").id == first.id
    assert world.store.comments[first.id]["author"] == APP


def test_the_token_of_a_workflow_knows_its_own_comments_too(world):
    world.store.users[APP] = "github-actions[bot]"
    world.store.tokens["ghs_botbotbotbotbotbotbot1234"] = APP
    port = world.port(ForgeKind.GITHUB)
    number = world.store.add_pull()
    first = port.upsert_comment(number, MARKER, "one")
    assert port.upsert_comment(number, MARKER, "two").id == first.id


def test_a_key_of_another_app_is_not_accepted(world):
    with pytest.raises(Unauthorized, match="could not be decoded"):
        world.port(ForgeKind.GITHUB, App("12", app_key(1))).get_pr(1)


@pytest.mark.parametrize(
    "key", ["canary", "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----"]
)
def test_what_is_no_private_key_is_refused_and_not_quoted(world, key):
    with pytest.raises(UserError, match="private key cannot be used") as caught:
        world.port(ForgeKind.GITHUB, App("12", Secret(key))).get_pr(1)
    assert caught.value.__context__ is None
    assert "canary" not in caught.value.message


def test_an_app_belongs_to_github(world):
    with pytest.raises(UserError, match="App is GitHub's"):
        world.port(ForgeKind.GITLAB, App("12", app_key()))


# Check runs


def check(state=CheckState.FAILURE, annotations=0, **more):
    made = tuple(
        Annotation("a.yaml", line + 1, "failure", "wrong", "rule") for line in range(annotations)
    )
    return Check("gen-env", state, "2 problems", "summary", annotations=made, **more)


def test_a_check_run_is_made_with_text_and_remarks(world, port):
    port.report_check(SHA, check(annotations=2, text="full diff", url="https://x.example/"))
    (run,) = world.store.check_runs
    assert (run["name"], run["head_sha"], run["status"], run["conclusion"]) == (
        "gen-env",
        SHA,
        "completed",
        "failure",
    )
    assert run["details_url"] == "https://x.example/"
    assert run["output"]["text"] == "full diff"
    assert run["output"]["annotations"][1] == {
        "path": "a.yaml",
        "start_line": 2,
        "end_line": 2,
        "annotation_level": "failure",
        "message": "wrong",
        "title": "rule",
    }


def test_a_run_under_way_is_brought_to_its_end(world, port):
    for state in (CheckState.PENDING, CheckState.RUNNING, CheckState.SUCCESS):
        port.report_check(SHA, check(state))
    (run,) = world.store.check_runs
    assert (run["status"], run["conclusion"]) == ("completed", "success")


def test_an_equal_check_is_not_sent_again(world, port):
    for _ in range(3):
        port.report_check(SHA, check(annotations=3))
    assert len(world.store.check_runs) == 1
    assert len(world.store.check_runs[0]["output"]["annotations"]) == 3


def test_remarks_beyond_one_call_follow_in_further_ones(world, port):
    port.report_check(SHA, check(annotations=120))
    (run,) = world.store.check_runs
    lines = [annotation["start_line"] for annotation in run["output"]["annotations"]]
    assert lines == list(range(1, 121))


def test_another_outcome_is_a_new_run_so_that_old_remarks_go(world, port):
    port.report_check(SHA, check(annotations=2))
    port.report_check(SHA, check(CheckState.SUCCESS))
    assert [run["conclusion"] for run in world.store.check_runs] == ["failure", "success"]
    assert world.store.check_runs[1]["output"]["annotations"] == []


def test_remarks_of_a_run_under_way_are_not_doubled(world, port):
    port.report_check(SHA, check(CheckState.RUNNING, annotations=2))
    port.report_check(SHA, check(CheckState.FAILURE, annotations=2))
    assert [len(run["output"]["annotations"]) for run in world.store.check_runs] == [2, 2]


def test_runs_of_other_tools_are_not_ours(world, port):
    foreign = {"id": 1, "name": "gen-env", "head_sha": SHA, "status": "in_progress", "output": {}}
    world.store.check_runs.append(dict(foreign))
    port.report_check(SHA, check())
    assert world.store.check_runs[0] == foreign
    assert len(world.store.check_runs) == 2


def test_texts_beyond_the_limit_are_cut_and_say_so(world, port):
    port.report_check(SHA, check(text="x" * 70_000))
    text = world.store.check_runs[0]["output"]["text"]
    assert len(text) == 65_535
    assert text.endswith("(cut: too long for the forge)")
