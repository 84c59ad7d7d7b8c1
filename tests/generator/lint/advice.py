"""What a hint tells to do: the keys that it names, and what it sets; measured over all rules."""

import copy
import re

from generator.chart.traits import Reading
from generator.core.layered import lookup
from generator.helmvalues.values import ValuesInput, merged
from tests import chart_range
from tests.generator.lint.test_values import BAD, BAD_AND_GOOD, BY_ID, nested

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


def values_of(version, flat):
    """A case over the defaults of a chart."""
    more = {key[1:]: value for key, value in flat.items() if key.startswith("@")}
    own = {key: value for key, value in flat.items() if not key.startswith("@")}
    user = nested(copy.deepcopy(own))
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
