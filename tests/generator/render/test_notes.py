import pytest

from generator.chart.chart import open_chart, read_chart
from generator.core.problem import Severity
from generator.render.helm_notes import TEMPLATE, warnings, with_notes
from tests.generator.chart.samples import archive_of, write

RENAMED = """
 DEPRECATION WARNING:
    `{old}` has been renamed to {new}.
    Please change your values as support for the old name will be dropped in a future release.
"""


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            RENAMED.format(old="workers.keda.enabled", new="`workers.celery.keda.enabled`"),
            "`workers.keda.enabled` is deprecated",
            "use `workers.celery.keda.enabled`",
        ),
        (
            RENAMED.format(
                old="ingress.web.tls", new="`ingress.web.hosts[*].tls` and can be set per host"
            ),
            "`ingress.web.tls` is deprecated",
            "use `ingress.web.hosts[*].tls`",
        ),
        (
            "DEPRECATION WARNING:\n   `ingress.enabled` has been deprecated. There are now\n"
            "   flags, ``ingress.web.enabled`` and ``ingress.flower.enabled``.\n"
            "   Please change your values as support will be dropped.\n",
            "`ingress.enabled` is deprecated",
            "`ingress.enabled` has been deprecated. There are now flags, ``ingress.web.enabled`` "
            "and ``ingress.flower.enabled``.",
        ),
        (
            "DEPRECATION WARNING:\n  `dags.gitSync.readinessProbe` section has been removed as\n",
            "`dags.gitSync.readinessProbe` is deprecated",
            "remove it",
        ),
        (
            "DEPRECATION WARNING:\n  Behaviour with `a.b` equal `false` is deprecated.\n",
            "`a.b` is deprecated as it is set",
            "Behaviour with `a.b` equal `false` is deprecated.",
        ),
    ],
)
def test_a_deprecation_names_the_old_key_and_what_replaces_it(text, message, hint):
    (problem,) = warnings(f"Thank you!\n{text}\nBye.\n", {})
    assert (problem.rule, problem.severity) == ("chart/deprecated", Severity.WARNING)
    assert (problem.message, problem.hint) == (message, hint)


def test_each_warning_is_one_problem_and_repeated_ones_count_once():
    one = RENAMED.format(old="a", new="`b`")
    other = RENAMED.format(old="c", new="`d`/`e`")
    found = warnings(one + one + other, {})
    assert [problem.hint for problem in found] == ["use `b`", "use `d` or `e`"]


def test_a_banner_is_a_warning_too():
    (problem,) = warnings("#####\n#  WARNING: You should set knownHosts #\n#####\nText\n", {})
    assert (problem.rule, problem.message) == ("chart/notes", "You should set knownHosts")


@pytest.mark.parametrize(("key", "number"), [("apiSecretKeySecretName", 0), ("fernetKey", 1)])
def test_the_key_of_airflow_2_is_not_missed_beside_that_of_airflow_3(key, number):
    notes = "#####\n#  WARNING: You should set a static webserver secret key  #\n#####\n"
    assert len(warnings(notes, {key: "a"})) == number


def test_a_value_that_is_a_word_of_the_chart_is_no_secret_in_its_own_sentence():
    text = "#####\n#  WARNING: You should set dags.gitSync.knownHosts #\n#####\nText\n"
    values = {"subPath": "dags", "repo": "git@x.example:a/dags.git", "data": {"hook": "Sync"}}
    (problem,) = warnings(text, values, source=text)
    assert problem.message == "You should set dags.gitSync.knownHosts"
    assert "knownHosts" in warnings(text, values)[0].message


def test_a_banner_that_stands_in_the_chart_is_told_word_for_word():
    notes = "####\n#  WARNING: You should set dags.gitSync.knownHosts  #\n####\n"
    values = {"dags": {"gitSync": {"subPath": "dags.gitSync"}}}
    (problem,) = warnings(notes, values, notes)
    assert problem.message == "You should set dags.gitSync.knownHosts"
    (hidden,) = warnings(notes, values, "")
    assert "dags.gitSync" not in hidden.message


def test_thanks_and_logins_are_no_warnings():
    assert warnings("Thank you!\nusername: admin\npassword: admin\n", {}) == ()


def test_a_warning_quotes_no_value():
    text = "DEPRECATION WARNING:\n  `a` set to c4nary-S3cret is deprecated.\n"
    (problem,) = warnings(text, {"a": "c4nary-S3cret"})
    assert "c4nary" not in problem.message + problem.hint


def test_notes_become_a_template_without_changing_the_rest(tmp_path):
    chart = open_chart(write(tmp_path))
    changed = read_chart(with_notes(chart), tmp_path / "x.tgz")
    assert set(changed.files) - set(chart.files) == {TEMPLATE}
    assert all(changed.files[path] == content for path, content in chart.files.items())


@pytest.mark.parametrize("notes", ["", "  \n", '{{ define "x" }}{{ end }}'])
def test_notes_that_are_empty_or_define_templates_stay_where_they_are(tmp_path, notes):
    files = {"Chart.yaml": "name: x\nversion: 1.0.0\n", "templates/NOTES.txt": notes}
    chart = read_chart(archive_of(files), tmp_path / "x.tgz", official=False)
    assert with_notes(chart) is None


@pytest.mark.parametrize("start", ['{{- define "x" }}', "{{ block `x` . }}"])
def test_notes_that_cannot_be_read_are_said_to_be(start):
    (problem,) = warnings("", {}, f"{start}{{{{ end }}}}")
    assert problem.message.startswith("the chart's notes were not read: they define templates")
