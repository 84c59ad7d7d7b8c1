"""What the pages say, over a service with something in it and over an empty one."""

import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest

from service.model.job import Job, Kind, State
from service.settings.schema import Proxy
from service.store import grants, overview, reports, runs, tables
from service.store.runs import Outcome
from service.webhook.command import Command, Verb
from tests.service import scene
from tests.service.webapp import application

LOGIN = {"auth": ("anyone", scene.API)}
PAGES = ("/", "/pulls", "/runs", "/queue", "/audit")
HEAD, MERGE = scene.sha_of("head"), scene.sha_of("merge")
HOSTILE = '"><img src=x onerror=alert(1)>{{ 7 * 7 }}'
LOST = "not accepted: impact/database, impact/service-gone"
BRANCH = {
    "environments": [
        {"name": name, "tier": name, "airflow": "3.2.2", "chart": "1.22.0", "tag": "3.2.2-r1",
         "paused": name == "production"}
        for name in ("dev", "production", "qa", "staging")
    ],
    "unread": ["broken"],
    "paths": {"main": ["dev", "staging", "production"]},
}  # fmt: skip


def ended(here, job, state, summary, **environments):
    identity = here.jobs.submit(job)
    with here.engine.begin() as connection:
        runs.begin(connection, identity, 1e9)
        runs.finish(connection, identity, Outcome(state, summary, HEAD, environments), 1e9 + 60)
        return runs.read(connection, identity)


def seed(here):
    """Pull requests, verifications, dead letters, accepts; gives the run with a report."""
    check = ended(here, Job(Kind.CHECK, "forge", "team/one", 1), State.FAILURE, LOST, dev="failure")
    ended(here, Job(Kind.GATES, "forge", "team/one", 1), State.NEUTRAL, "soak: 2 h left")
    ended(here, Job(Kind.CHECK, "forge", "team/one", 2, "closed"), State.NEUTRAL, "is merged")
    ended(here, Job(Kind.CHECK, "forge", "team/two", 3), State.DEAD, HOSTILE)
    job = Job(Kind.VERIFY, "forge", "team/one", 1, "", {"environment": "staging", "sha": MERGE})
    ended(here, job, State.SUCCESS, "verified: all", staging="verified")
    job = Job(Kind.DRIFT, "forge", "team/one", 0, "", {"environment": "staging"})
    ended(here, job, State.FAILURE, f"1 object not as in git: {HOSTILE}", staging="Job a/b")
    with here.engine.begin() as connection:
        reports.keep(connection, check.report, reports.Report("{}", "<body><p>the report</p>"), 1.0)
        overview.keep_branch(connection, "forge/team/one", MERGE, BRANCH, 1e9)
        word = Command(Verb.ACCEPT, HEAD, rule="impact/database", reason=HOSTILE)
        grants.record(connection, check.key, HEAD, word, "ann", 1e9)
        connection.execute(tables.executor.insert().values(id="worker-1", seen=here.clock()))
    return check


@pytest.fixture
def seeded(tmp_path):
    with application(tmp_path) as (client, here):
        yield client, here, seed(here)


def text_of(client, path):
    answer = client.get(path, **LOGIN)
    assert answer.status_code == 200, answer.text
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


HOURLY = {"kind": "deny", "schedule": "0 * * * *", "duration": "1h", "timeZone": "UTC"}


def test_what_holds_an_environment_back_is_shown_and_what_is_not_known_too(seeded):
    client, here, _ = seeded
    said = text_of(client, "/")
    # What an earlier version stored of the branch has neither windows nor soak.
    assert "freeze not known" in said and "soak not known" in said
    more = {
        "dev": {"windows": [HOURLY], "soak": 0.0},
        "staging": {"windows": [{**HOURLY, "schedule": "61 * * * *"}], "soak": 3600.0},
        "production": {"windows": [], "soak": 1e9},
        "qa": {"windows": [HOURLY | {"kind": "allow"}], "soak": 0.0},
    }
    found = [{**item, **more[item["name"]]} for item in BRANCH["environments"]]
    with here.engine.begin() as connection:
        content = {**BRANCH, "environments": found}
        overview.keep_branch(connection, "forge/team/one", MERGE, content, 1e9)
    said = text_of(client, "/")
    assert "dev dev frozen, no end" in said
    # There is no verification on record, which does not say that there was none.
    assert "staging staging freeze not known soak not known" in said
    # Verified at 1e9 + 60.
    assert "production production paused staging soaks until 2033-05-18 03:34 UTC" in said
    assert "qa qa Airflow" in said


def test_a_soak_is_shown_only_as_the_gate_counts_it(seeded):
    client, here, _ = seeded
    found = [{**item, "windows": [], "soak": 1e9} for item in BRANCH["environments"]]

    with here.engine.begin() as connection:
        content = {**BRANCH, "environments": found}
        overview.keep_branch(connection, "forge/team/one", MERGE, content, 1e9)
    assert "staging soaks until 2033-05-18 03:34 UTC" in text_of(client, "/")
    # The newer word counts, whatever was verified before it.
    for number, (state, text) in enumerate(
        [
            (State.FAILURE, "soak begins when staging is verified"),
            (State.ERROR, "production paused soak not known"),
        ]
    ):
        named = {"environment": "staging", "sha": scene.sha_of(f"later {number}")}
        ended(here, Job(Kind.VERIFY, "forge", "team/one", number, "", named), state, "as it went")
        said = text_of(client, "/")
        assert text in said and "staging soaks" not in said


def test_a_source_that_is_not_on_the_branch_is_not_replaced_by_the_one_before(seeded):
    client, here, _ = seeded
    job = Job(Kind.VERIFY, "forge", "team/one", 1, "", {"environment": "dev", "sha": MERGE})
    ended(here, job, State.SUCCESS, "verified: all")
    path = {"main": ["dev", "missing", "production"]}
    found = [{**item, "windows": [], "soak": 1e9} for item in BRANCH["environments"]]
    with here.engine.begin() as connection:
        content = {**BRANCH, "environments": found, "paths": path}
        overview.keep_branch(connection, "forge/team/one", MERGE, content, 1e9)
    said = text_of(client, "/")
    assert "production production paused soak not known" in said and "dev soaks" not in said


def test_environments_stand_by_promotion_path_with_what_was_verified(seeded):
    client, _, _ = seeded
    said = text_of(client, "/")
    assert "Promotion path main: dev → staging → production" in said
    assert said.index("In no promotion path") < said.index("qa")
    assert f"{MERGE[:10]} at 2001-09-09 01:47:40 UTC" in said
    assert f"{MERGE[:10]} since" not in said
    assert said.count("none on record") == 3 and "not configured" in said
    assert "production production paused" in said
    assert "Not read, because their definitions are invalid: broken" in said
    assert "failure 1 object not as in git" in said and said.count("not compared") == 3
    # The other repository was never read, and with `pollSeconds: 0` never will be.
    assert "The branch is not read: pollSeconds is 0" in said


def test_many_verifications_of_another_environment_hide_none(seeded):
    client, here, _ = seeded
    job = Job(Kind.VERIFY, "forge", "team/one", 1, "", {"environment": "qa", "sha": HEAD})
    row = ended(here, job, State.FAILURE, "failed: pods")._mapping
    others = [
        {**row, "id": f"{number}", "report": f"{number}", "queued": row["queued"] + 1 + number}
        for number in range(2_001)
    ]
    with here.engine.begin() as connection:
        connection.execute(tables.run.insert(), others)
    assert f"{MERGE[:10]} at 2001-09-09 01:47:40 UTC" in text_of(client, "/")


def test_a_pull_request_that_needs_a_person_is_not_pushed_off_the_overview(seeded):
    client, here, _ = seeded
    for number in range(100, 160):
        ended(here, Job(Kind.CHECK, "forge", "team/two", number), State.SUCCESS, "fine")
    said = text_of(client, "/")
    assert "failure team/one #1" in said and "dead team/two #3" in said
    assert "#100" not in said and "More in" not in said
    for number in range(200, 249):
        ended(here, Job(Kind.CHECK, "forge", "team/two", number), State.FAILURE, "no")
    said = text_of(client, "/")
    assert "failure team/one #1" not in said and said.count("failure team/two #") == 49
    assert "dead team/two #3" in said and "More in Pull requests" in said


def test_open_pull_requests_have_state_impacts_gates_and_links(seeded):
    client, _, check = seeded
    page = client.get("/pulls", **LOGIN).text
    assert 'href="http://127.0.0.1:9/team/one/pulls/1"' in page
    assert f'href="http://127.0.0.1:9/team/one/commit/{HEAD}"' in page
    assert f"/reports/{check.report}" in page
    said = text_of(client, "/pulls")
    assert "impact/database" in said and "neutral soak: 2 h left" in said
    assert "#2" not in said


def test_runs_are_filtered_and_paged(seeded):
    client, here, _ = seeded
    for number in range(60):
        here.jobs.submit(Job(Kind.CHECK, "forge", "team/two", number + 10))
    assert "#1 " in text_of(client, "/runs?kind=check&repository=team/one&number=1")
    assert "No run matches" in text_of(client, "/runs?state=retried")
    first = client.get("/runs?repository=team/two", **LOGIN).text
    [older] = re.findall(r'href="(/runs[^"]*)" rel="next"', first)
    assert "repository=team/two" in older.replace("%2F", "/") and "offset=50" in older
    second = client.get(older.replace("&amp;", "&"), **LOGIN).text
    assert 'rel="prev"' in second and 'rel="next"' not in second
    for wrong in ("kind=x", "state=x", "offset=-1", "offset=99999999", "number=x", "offset=²"):
        assert client.get(f"/runs?{wrong}", **LOGIN).status_code == 400


def test_queue_workers_and_accepts_are_shown(seeded):
    client, _, _ = seeded
    said = text_of(client, "/queue")
    assert "worker-1 alive" in said and "Retry" in said
    assert "ann accept impact/database forge/team/one#1" in text_of(client, "/audit")


def test_a_long_list_of_what_was_given_up_says_that_there_is_more(seeded):
    client, here, _ = seeded
    for number in range(100, 150):
        ended(here, Job(Kind.CHECK, "forge", "team/two", number), State.DEAD, "no")
    assert text_of(client, "/queue").count("Retry") == 50
    page = client.get("/queue", **LOGIN).text
    assert '<p>More in <a href="/runs?state=dead">' in page
    assert ">51 given up<" in client.get("/", **LOGIN).text


def test_a_report_says_what_it_is_of_and_who_accepted(seeded):
    client, _, check = seeded
    page = client.get(f"/reports/{check.report}").text
    assert page.index("check failure") < page.index("the report")
    for part in ("team/one", "pulls/1", "2001-09-09 01:47:40", "accept impact/database by ann"):
        assert part in page
    assert "<img" not in page


def test_what_others_wrote_is_text_on_every_page(seeded):
    client, _, _ = seeded
    pages = [client.get(path, **LOGIN) for path in PAGES]
    assert not any("<img" in page.text or ">49" in page.text for page in pages)
    for page in pages:
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert not re.search(r"<[^>]+ (style|on\w+)=", page.text)


def test_an_unchanged_page_costs_a_short_answer(seeded):
    client, here, _ = seeded
    for path in PAGES:
        tag = client.get(path, **LOGIN).headers["ETag"]
        again = client.get(path, headers={"If-None-Match": tag}, **LOGIN)
        assert (again.status_code, again.data) == (304, b"")
    tag = client.get("/queue", **LOGIN).headers["ETag"]
    here.jobs.submit(Job(Kind.CHECK, "forge", "team/one", 9))
    assert client.get("/queue", headers={"If-None-Match": tag}, **LOGIN).status_code == 200


def test_empty_pages_say_what_would_be_there(tmp_path):
    polling = lambda found: scene.changed(found, poll_seconds=60)  # noqa: E731
    with application(tmp_path, edit=polling) as (client, _):
        for path, words in (
            ("/", "has not been read yet: that comes with the next poll"),
            ("/pulls", "No open pull request"),
            ("/runs", "No run matches"),
            ("/queue", "No worker has given a sign of life"),
            ("/audit", "Nobody has accepted, overridden or retried anything"),
        ):
            assert words in text_of(client, path)


PROXY = {"X-Auth-Request-User": "ann"}
OPERATORS = {**PROXY, "X-Auth-Request-Groups": "staff, ops"}
PEER = {"REMOTE_ADDR": "10.1.2.3"}


@pytest.fixture
def proxied(tmp_path):
    proxy = Proxy(addresses=["10.1.2.0/24"], viewers=["staff"], operators=["ops"])
    with application(tmp_path, edit=lambda found: scene.changed(found, proxy=proxy)) as made:
        seed(made[1])
        yield made


def test_a_named_proxy_says_who_somebody_is_and_groups_say_what_they_may(proxied):
    client, here = proxied
    [dead] = here.jobs.runs(states=[State.DEAD])
    retry = f"/runs/{dead['id']}/retry"
    staff = {**PROXY, "X-Auth-Request-Groups": "staff"}
    assert client.get("/", headers=staff, environ_base=PEER).status_code == 200
    assert client.post(retry, headers=staff, environ_base=PEER).status_code == 403
    assert client.get("/", headers=PROXY, environ_base=PEER).status_code == 403
    assert client.post(retry, headers=OPERATORS, environ_base=PEER).status_code == 303
    audit = client.get("/audit", headers=staff, environ_base=PEER).text
    said = " ".join(re.sub(r"<[^>]+>", " ", audit).split())
    assert "ann retry check forge/team/two#3" in said and "accept impact/database" in said
    other_site = {**OPERATORS, "Sec-Fetch-Site": "cross-site"}
    assert client.post(retry, headers=other_site, environ_base=PEER).status_code == 403
    # The API stays with the token.
    assert client.get("/api/v1/checks", headers=OPERATORS, environ_base=PEER).status_code == 401


def test_headers_of_others_and_doubled_ones_count_for_nothing(proxied):
    client, _ = proxied
    for address in ("10.1.3.4", "127.0.0.1", "", "fe80::1"):
        answer = client.get("/", headers=OPERATORS, environ_base={"REMOTE_ADDR": address})
        assert answer.status_code == 401
    for address in ("10.1.2.3", "::ffff:10.1.2.3"):  # the same peer on a socket for both families
        answer = client.get("/", headers=OPERATORS, environ_base={"REMOTE_ADDR": address})
        assert answer.status_code == 200
    doubled = {**OPERATORS, "X-Auth-Request-User": "eve, ann"}
    assert client.get("/", headers=doubled, environ_base=PEER).status_code == 403
    assert client.get("/", environ_base=PEER).status_code == 401


def test_who_comes_through_a_proxy_on_this_host_is_not_on_this_host(tmp_path):
    proxy = Proxy(addresses=["127.0.0.1"])

    def edit(found):
        return scene.changed(found, proxy=proxy, api_token=None)

    with application(tmp_path, edit=edit) as (client, _):
        assert client.get("/", headers={"Host": "localhost"}).status_code == 403
        assert client.get("/", headers=PROXY).status_code == 200


def test_an_origin_that_is_none_is_another_site(seeded):
    client, here, _ = seeded
    [dead] = here.jobs.runs(states=[State.DEAD])
    for origin in ("http://[::1", "null", ""):
        answer = client.post(f"/runs/{dead['id']}/retry", headers={"Origin": origin}, **LOGIN)
        assert answer.status_code == 403
    assert client.get("/", headers={"Host": "[::1"}).status_code in (400, 401, 403)


class Outline(HTMLParser):
    """Headings, and controls without a name."""

    def __init__(self):
        super().__init__()
        self.headings, self.landmarks, self.cells = [], set(), []

    def handle_starttag(self, tag, attributes):
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag in ("main", "header", "nav"):
            self.landmarks.add(tag)
        if tag == "th":
            self.cells.append(dict(attributes).get("scope"))


@pytest.mark.few(2)
@pytest.mark.parametrize("path", PAGES)
def test_pages_have_an_outline_for_who_does_not_see_them(seeded, path):
    client, _, _ = seeded
    outline = Outline()
    outline.feed(client.get(path, **LOGIN).text)
    assert outline.headings[0] == 1 and outline.headings.count(1) == 1
    assert outline.landmarks == {"main", "header", "nav"}
    assert set(outline.cells) <= {"col", "row"}


def test_the_script_that_refreshes_is_one(seeded):
    client, _, _ = seeded
    with client.get("/static/refresh.js") as answer:
        assert answer.mimetype == "text/javascript"
        script = answer.data
    if node := shutil.which("node"):
        subprocess.run([node, "--check", "-"], input=script, check=True)
