"""Which environments a change can reach, and that none is missed or looked at for nothing."""

import dataclasses

import pytest
import yaml

from generator.actions import diff
from generator.core.files import Overlay, Snapshot
from generator.pipeline import review, toolchain
from generator.report import story
from tests.repositories import DEV, SETTINGS, STAGING, Repo, changed, repository

OTHER = changed(STAGING, ("name: staging", "name: other"), ("tier: staging", "tier: production"))
TEAM = changed(STAGING, ("{name: staging, tier", "{name: staging, team: payments, tier"))
ALL = {"dev", "staging", "other", "payments/staging"}


@pytest.fixture
def base(own_chart, templates):
    return Snapshot(Repo(templates.place("four-environments", four_environments)).tree())


def four_environments(folder):
    repo = repository(folder, dev=DEV, staging=STAGING, other=OTHER, payments__staging=TEAM)
    done = repo.run("generate")
    assert done.code == 0, done.said


def tools(files):
    return review.Toolchain(toolchain.charts(files), toolchain.lazy(files))


def reviewed(base, head, names=(), touched=None):
    revisions = review.Revisions(base, head, "base", "head")
    return review.review(revisions, names, touched, tools(head))


def settings(*pairs):
    text = changed(SETTINGS, *pairs)
    return {"gen-env.yaml": text.encode()}


DEFAULTS = "clusters:\n  main:"


def defaults(level, name):
    text = f"defaults: {{{level}: {{{name}: {{scheduler: {{replicas: 2}}}}}}}}\n{DEFAULTS}"
    return settings((DEFAULTS, text))


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("files", "reached"),
    [
        (defaults("tiers", "staging"), {"staging", "payments/staging"}),
        (defaults("tiers", "production"), {"other"}),
        (defaults("teams", "payments"), {"payments/staging"}),
        (defaults("clusters", "main"), ALL),
        (settings(("1.34.2", "1.33.1")), ALL),
        (settings(("className: nginx", "className: other")), ALL - {"dev"}),
        (settings(("https://10.0.0.1:6443", "https://10.0.0.9:6443")), ALL),
        (settings(("branch: main", "branch: trunk")), ALL),
    ],
    ids=[
        "tier",
        "other tier",
        "team",
        "cluster's default",
        "Kubernetes",
        "ingress",
        "server",
        "branch",
    ],
)
def test_a_change_of_the_settings_reaches_every_environment_that_it_concerns(base, files, reached):
    head = Overlay(base, files)
    found = reviewed(base, head, touched=set(files))
    assert {item.name for item in found.environments} == reached
    assert {item.name for item in reviewed(base, head).environments} == reached
    assert all(item.rendered for item in found.environments)


def test_a_limit_of_the_database_alone_is_looked_at(base):
    path = "environments/other/environment.yaml"
    text = base.read(path).replace(b"database: {", b"database: {maxConnections: 3, ")
    (found,) = reviewed(base, Overlay(base, {path: text}), touched={path}).environments
    assert found.rendered and {item.rule for item in found.impact} & {"impact/database-connections"}


def test_a_definition_that_changes_no_object_is_in_the_report(base):
    path = "environments/other/environment.yaml"
    text = base.read(path).replace(b"airflow: {", b"airflow: {home: /opt/airflow, ")
    found = reviewed(base, Overlay(base, {path: text}), touched={path})
    (item,) = found.environments
    assert (item.name, item.rendered, item.changes) == ("other", True, ())
    assert [field.path for field in item.fields] == ["airflow.home"]
    assert found.headline == "No changes: both sides render to the same objects"
    ((names, words),) = story.sentences(found)
    assert names == ("other",) and words.endswith("; no rendered object changes")


@dataclasses.dataclass(frozen=True)
class Counted:
    """Files that remember what was read."""

    files: Snapshot
    asked: set = dataclasses.field(default_factory=set)

    def read(self, path):
        self.asked.add(path)
        return self.files.read(path)

    def below(self, folder):
        return self.files.below(folder)

    def links(self, folder):
        return self.files.links(folder)

    def entries(self, folder):
        return self.files.entries(folder)


def test_nothing_of_an_untouched_environment_is_read(base):
    path = "environments/dev/environment.yaml"
    text = base.read(path).replace(
        b"chart: {version: 1.22.0}", b"scheduler: {replicas: 2}\nchart: {version: 1.22.0}"
    )
    before, after = Counted(base), Counted(Overlay(base, {path: text}))
    (found,) = reviewed(before, after, touched={path}).environments
    assert found.name == "dev" and found.changes
    for side in (before, after):
        folders = {name.split("/")[1] for name in side.asked if name.startswith("environments/")}
        assert folders == {"dev"}


def test_a_definition_that_breaks_is_told(base):
    path = "environments/dev/environment.yaml"
    bad = Overlay(base, {path: b"a: [\n"})
    (found,) = reviewed(base, bad, touched={path}).environments
    assert (found.name, found.rendered, found.changes) == ("dev", False, ())
    assert [item.rule for item in found.problems] == ["yaml/syntax"]
    mended = reviewed(bad, base, touched={path})
    assert mended.environments == () and "1 environment compared" in mended.reason


def test_a_comment_alone_is_judged_by_the_versions_of_both_sides_without_a_render(base):
    path = "environments/dev/environment.yaml"
    noted = Overlay(base, {path: base.read(path) + b"# a comment\n"})
    found = reviewed(base, noted, touched={path})
    assert found.environments == ()
    assert found.headline == (
        "No changes: 1 environment compared: its inputs are the same, byte for byte, so nothing was"
        " rendered"
    )
    assert found.basis.chart.version == "1.22.0" and "chart 1.22.0" in found.judged_by[0]


@pytest.mark.parametrize("broken", ["base", "head"])
def test_settings_that_are_broken_on_one_side_stop_no_report(base, broken):
    bad = Overlay(base, {"gen-env.yaml": b"clusters: [\n"})
    sides = (bad, base) if broken == "base" else (base, bad)
    found = reviewed(*sides, touched={"gen-env.yaml"})
    assert len(found.environments) == len(ALL)
    said = {item.rule for item in found.problems}
    assert said == (set() if broken == "base" else {"yaml/syntax"})
    reasons = {item.reason for item in found.environments}
    assert "removed by this change" not in reasons
    if broken == "head":
        assert reasons == {"gen-env.yaml of the head cannot be read"}


def test_an_environment_whose_broken_definition_goes_away_is_removed(base):
    bad = Overlay(base, {"environments/dev/environment.yaml": b"a: [\n"})
    gone = frozenset(base.below("environments/dev"))
    (found,) = reviewed(bad, Overlay(base, {}, gone), touched=set(gone)).environments
    assert (found.name, found.reason) == ("dev", "removed by this change")


def test_an_environment_that_moves_is_one(base):
    moved = {
        path.replace("/other/", "/moved/"): base.read(path).replace(b"name: other", b"name: moved")
        for path in base.below("environments/other")
        if "/generated/" not in path
    }
    moved["environments/moved/environment.yaml"] = moved[
        "environments/moved/environment.yaml"
    ].replace(
        b"destination: {cluster: main}", b"destination: {cluster: main, namespace: airflow-other}"
    )
    gone = frozenset(base.below("environments/other"))
    (found,) = reviewed(base, Overlay(base, moved, gone), touched={*moved, *gone}).environments
    assert (found.name, found.old_name) == ("moved", "other")
    assert not any(item.key.kind == "Deployment" for item in found.changes)


def test_only_the_named_ones_are_compared(base):
    files = defaults("clusters", "main")
    found = reviewed(base, Overlay(base, files), ["dev"], set(files))
    assert [item.name for item in found.environments] == ["dev"]


def test_the_same_tree_says_why_there_is_nothing(base):
    found = reviewed(base, base, touched=set())
    assert found.environments == () and found.reason == "the change affects no environment"
    assert "no changes" in diff.formatted(found, "markdown", 5000, color=False).lower()


def app_project(name, spec):
    return yaml.safe_dump(
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "AppProject",
            "metadata": {"name": name, "namespace": "argocd"},
            "spec": spec,
        }
    )


def test_what_an_app_project_says_is_shown_in_the_environments_that_it_governs(base):
    application = yaml.safe_load(base.read("environments/staging/generated/application.yaml"))
    project = application["spec"]["project"]
    path = f"bootstrap/projects/{project}.yaml"
    every = [{"group": "*", "kind": "*"}]
    spec = {
        "sourceRepos": ["*"],
        "destinations": [{"server": "*", "namespace": "*"}],
        "clusterResourceWhitelist": every,
        "namespaceResourceWhitelist": every,
    }
    window = {"kind": "deny", "schedule": "0 0 * * *", "duration": "1h"}
    governed = {"syncWindows": [{**window, "applications": ["airflow-staging"]}]}
    before, after = (
        Overlay(base, {path: app_project(project, item).encode()})
        for item in (spec, {**spec, **governed})
    )
    report = reviewed(before, after, touched={path})
    (item,) = report.environments
    assert item.name == "staging"
    assert [str(change.key) for change in item.changes] == [f"AppProject argocd/{project}"]
    assert [finding.rule for finding in item.impact] == ["impact/sync-window"]


def test_a_changed_root_application_is_told_for_all(base):
    path = "bootstrap/root.yaml"
    text = base.read(path).decode().replace("prune: false", "prune: true")
    report = reviewed(base, Overlay(base, {path: text.encode()}), touched={path})
    (finding,) = report.impact
    assert finding.rule == "impact/root" and "prune is on" in finding.message
