"""What a hint tells to do: the keys that it names, and what it sets; measured over all rules."""

import copy
import re

import yaml

from generator.adoption.simplify import put, without
from generator.chart import key_table
from generator.chart.traits import Reading
from generator.core.layered import leaves, lookup, path_of
from generator.helmvalues.values import ValuesInput, merged
from generator.lint.registry import value_problems
from generator.lint.values.deprecated import DEPRECATED, deprecated_problems
from generator.lint.values.schema import schema_problems
from generator.lint.values.unknown_keys import unknown_key_problems
from generator.release.fit import fitted, reached
from generator.release.setting import Setting, nest
from generator.render.engine import choose_engine
from generator.render.request import RenderFailure, RenderRequest
from tests import chart_range
from tests.generator.lint.test_values import BAD, BAD_AND_GOOD, BY_ID, nested
from tests.standin_chart import CHART

AIRFLOW = ("2.11.0", "3.0.2")

KEY = re.compile(
    r"(?<![\w.\[/@-])([a-z]\w*(?:\.(?:\w|\[\d*\*?\])+(?:\[\d*\*?\])?)+|\w+SecretName|imagePullSecrets|"
    r"enableServiceLinks|useStandardNaming)(?![\w/=(-]|\.\w)"
)
# Words that look like keys and are none of the chart's.
_OTHERS = re.compile(
    r"^(?:example|kubernetes|argocd|airflow|keda|a|tls|values)\.|\.(?:com|io|cfg|py|yaml)$"
)
_SET = re.compile(r"(?:^set|; set|, set) (?P<key>[a-zA-Z][\w.\[\]]*): (?P<value>[^\s,;]+)")


def keys(hint):
    """The chart's keys in a hint, under the name that it gives them."""
    return [key for key in KEY.findall(hint) if not _OTHERS.search(key)]


def settings(hint):
    """Key and value of each plain `set KEY: VALUE` in a hint."""
    words = {"true": True, "false": False, "null": None}
    for match in _SET.finditer(hint):
        value = match["value"]
        if value in words or value.isdigit():
            yield match["key"], words.get(value, int(value) if value.isdigit() else value)


def values_of(version, flat, user=None):
    """A case, or values as a user writes them, over the defaults of a chart."""
    more = {key[1:]: value for key, value in flat.items() if key.startswith("@")}
    own = {key: value for key, value in flat.items() if not key.startswith("@")}
    user = nested(copy.deepcopy(own)) if user is None else user
    more["chart_version"] = version
    defaults = chart_range.archive(version).values()
    traits = chart_range.traits(version)
    return ValuesInput(user, merged(defaults, user), defaults=defaults, traits=traits, **more)


def cases():
    """Every bad case of every rule, with the Airflow versions that it does not choose itself."""
    for rule, number in BAD:
        own = {**BAD_AND_GOOD[rule][0][number]}
        own.pop("@chart_version", None)
        yield rule, own
        for airflow in AIRFLOW if "airflowVersion" not in own else ():
            yield rule, {"airflowVersion": airflow, **own}


def findings(version):
    """Each case with each finding of its rule, in a chart."""
    for rule, flat in cases():
        for problem in BY_ID[rule].problems(values_of(version, flat)):
            yield rule, flat, problem


def shapes(version):
    """Name and values of releases as people run them, as they are written for that chart.

    For charts after 1.18 also under the names before it, most of which these charts know as old.
    """
    own, older = chart_range.traits(version), key_table.traits("1.18.0")
    for path in sorted((CHART.parent / "values").glob("*.yaml")):
        written = yaml.safe_load(path.read_text("utf-8"))
        if secrets := written.get("imagePullSecrets"):  # of two forms the one that settings have
            written["imagePullSecrets"] = [
                {"name": item} if isinstance(item, str) else item for item in secrets
            ]
        settings = [Setting(place, value) for place, value in leaves(written) if place]
        yield path.stem, nest(reached(fitted(settings, own)))
        if own.release > older.release:
            yield f"{path.stem}, old names", nest(reached(fitted(settings, older)))
    had = [Setting(path_of(key), value) for key, value in OLD_NAMES.items() if own.has(key)]
    yield "old names alone", nest(had)


OLD_NAMES = {
    "securityContext": {"runAsUser": 50000, "fsGroup": 0},
    "scheduler.securityContext": {"runAsUser": 50000},
    "webserver.securityContext": {"runAsUser": 50000},
    "statsd.securityContext": {"runAsUser": 65534},
    "triggerer.securityContext": {"runAsUser": 50000},
    "dags.gitSync.enabled": True,
    "dags.gitSync.securityContext": {"runAsUser": 65533},
    "workers.securityContext": {"runAsUser": 50000},
    "ingress.web.enabled": True,
    "ingress.web.host": "airflow.example.com",
    "flower.extraNetworkPolicies": [{"podSelector": {}}],
    "registry.connection": {"user": "a", "pass": "b", "host": "c", "email": "d"},
    "webserver.defaultUser": {"enabled": True, "role": "Op"},
}


def false_claims(version):
    """What is said of the chart's own defaults and of `shapes` and does not hold there.

    Every finding is followed: what its advice sets, and renames, must leave no new fault and not
    be asked for again, and what is said to fail a render must fail it.
    """
    wrong, count, seen = set(), 0, set()
    for name, user in [("its own defaults", {}), *shapes(version)]:
        values = values_of(version, {}, user)
        found = list(said_of(values))
        count += len(found)
        wrong |= {(name, *claim) for claim in _refuted(version, values, found, seen)}
    return count, wrong


def said_of(values):
    """All that `check` says of values, but for what only the schema or a render tells."""
    return [*value_problems(values), *deprecated_problems(values), *unknown_key_problems(values)]


def _refuted(version, values, found, seen):
    before, renamed = faults(version, values), copy.deepcopy(values.user)
    renders = None
    for problem in found:
        claim = (problem.rule, problem.message, problem.hint)
        asked = "" if problem.hint.startswith("chart ") else problem.hint
        if wrong := [key for key in keys(asked) if not values.chart.has(key)]:
            yield *claim, f"not read: {wrong}"
        followed = copy.deepcopy(values.user)
        for key, value in settings(problem.hint):
            put(followed, path_of(key), value)
        if followed != values.user and claim not in seen:
            seen.add(claim)
            after = values_of(version, {}, followed)
            yield from ((*claim, str(new)) for new in faults(version, after) - before)
            again = BY_ID[problem.rule].problems(after) if problem.rule in BY_ID else ()
            if problem.hint in [item.hint for item in again]:
                yield *claim, "the same again"
        if any(words in problem.message for words in FAILS):
            renders = render_of(version, values.user) if renders is None else renders
            if renders:
                yield *claim, "it renders"
        if problem.rule == DEPRECATED.id:
            _rename(renamed, problem.message.partition(" is an old name")[0], problem.hint)
    if renamed != values.user:
        after = values_of(version, {}, renamed)
        yield from (("renamed", str(new)) for new in faults(version, after) - before)
        yield from (
            ("renamed", item.message) for item in said_of(after) if item.rule == DEPRECATED.id
        )
        if render_of(version, values.user) and not render_of(version, renamed):
            yield "renamed", "it does not render any more"


_MOVE = re.compile(r"(?:rename it|(?P<old>[\w.]+)) to (?P<new>[\w.]+(?: and [\w.]+)*?)(?=,|$)")
_FORM = re.compile(r"write it as (?P<new>[\w.]+): \[\{name: [A-Z]+\}\]")


def _rename(user, old, hint):
    """Do what the hint on a key under an old name says."""
    if form := _FORM.match(hint):
        value = lookup(user, old)
        without(user, path_of(old))
        put(user, path_of(form["new"]), [{"name": value if isinstance(value, str) else "secret"}])
    # A part that goes elsewhere comes after the rest, and is taken first.
    for move in reversed(list(_MOVE.finditer(hint))):
        value = lookup(user, move["old"] or old)
        without(user, path_of(move["old"] or old))
        for new in move["new"].split(" and ") if value not in (None, {}) else ():
            put(user, path_of(new), copy.deepcopy(value))


FAILS = ("render fails", "refuses to render", "cannot render")


def faults(version, values):
    """What is said of the keys themselves."""
    problems = [
        *schema_problems(values, chart_range.archive(version).schema()),
        *unknown_key_problems(values),
        *deprecated_problems(values),
    ]
    return {
        (item.rule, item.message) for item in problems if item.rule != "values/deprecated-default"
    }


def render_of(version, user):
    """Whether the chart renders these values."""
    path = chart_range.archive(version).path
    request = RenderRequest(path, "airflow", "airflow", user, "1.34.2", ("keda.sh/v1alpha1",))
    return not isinstance(choose_engine(None).render(request), RenderFailure)


def measured(version):
    """How many hints name a key, and which keys of findings the chart refuses or ignores.

    A message may name a key that the case itself writes.
    """
    traits = chart_range.traits(version)
    count, wrong = 0, set()
    for rule, flat, problem in findings(version):
        advised = "" if problem.hint.startswith("chart ") else problem.hint
        names = keys(advised)
        count += bool(names)
        names += [key for key in keys(problem.message) if lookup(nested(dict(flat)), key) is None]
        wrong |= {(rule, key, traits.reading(key)) for key in names if not traits.has(key)}
    return count, {(rule, key, str(reading)) for rule, key, reading in wrong if reading in _BAD}


_BAD = (Reading.REFUSED, Reading.IGNORED, Reading.PARTLY)
