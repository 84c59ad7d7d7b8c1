"""Every pair of options, and every executor with every DAG source and database.

In the set `all` every case is generated and its values checked, the pairwise ones are rendered on
the stand-in chart and a part of them on the official one; `nightly` renders them all. In `test`
every choice occurs, not every pair.
"""

import functools
import itertools
import json
import os
from pathlib import Path

import pytest
import yaml

from generator.actions import validate
from generator.core.problem import Severity
from generator.lint.objects import crd_schema
from generator.lint.values import deprecated, unknown_keys
from generator.lint.values import schema as values_schema
from generator.pipeline import generate
from generator.release import release
from tests import definitions, wiring
from tests.definitions import CORE, EXCLUDED, NOW, OPTIONS, cases, label, pairwise
from tests.effort import marks

CRDS = os.environ.get("GEN_ENV_CRDS")
# What the official chart treats in templates of its own; the stand-in chart sees every pair.
_CHART_OPTIONS = ("executor", "dags", "database", "airflow", "security", "scaling", "ingress")
# A finding about the choice that a case stands for, not about what was made of it.
_NOT_OF_THE_CLUSTER = ("/values.yaml", "/kustomization.yaml", "environment.yaml", "gen-env.yaml")
_CHOSEN = {"chart/leaves-with-2", "kubernetes/version-approximate"}


@functools.cache
def covering(options):
    """Pairwise cases, as few as cover every pair of choices of these options."""
    return _fewest(
        [{pair for pair in definitions.pairs(case) if _among(pair, options)} for case in pairwise()]
    )


@functools.cache
def once():
    """Pairwise cases, as few as cover every choice."""
    return _fewest([set(case.items()) for case in pairwise()])


def _fewest(left):
    """Pairwise cases that together have all that is in these sets, one for each case."""
    found, missing = [], set().union(*left)
    while missing:
        best = max(range(len(left)), key=lambda index: len(left[index] & missing))
        found.append(pairwise()[best])
        missing -= left[best]
    return found


def _among(pair, options):
    return all(option in options for option, _ in pair)


def on(which, *, few=None, all=None):
    """Parameters: `test` has the `few` of them (by default `once`), `all` those in `all`."""
    few = once() if few is None else few
    return [
        pytest.param(case, id=f"{number}-{label(case)}", marks=marks(case, test=few, all=all))
        for number, case in enumerate(which)
    ]


def test_every_pair_of_choices_occurs_unless_it_is_excluded():
    seen = {pair for case in cases() for pair in definitions.pairs(case)}
    for one, other in itertools.combinations(OPTIONS, 2):
        for choice, another in itertools.product(OPTIONS[one], OPTIONS[other]):
            if ((one, choice), (other, another)) not in seen:
                assert definitions.excluded({one: choice, other: another}), (choice, another)


def test_all_executors_occur_with_all_dag_sources_and_databases():
    seen = {tuple(case[option] for option in CORE) for case in cases()}
    assert seen == set(itertools.product(*(OPTIONS[option] for option in CORE)))


def test_no_case_is_excluded_and_each_is_complete():
    for case in cases():
        assert not definitions.excluded(case)
        assert list(case) == list(OPTIONS)


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory):
    return definitions.stand_in_charts(tmp_path_factory.mktemp("charts"))


@pytest.fixture(scope="module")
def official(tmp_path_factory, real_chart):
    return definitions.official_charts(tmp_path_factory.mktemp("charts"), real_chart)


@pytest.fixture(scope="module")
def renderer(tmp_path_factory):
    return definitions.cached_renderer(tmp_path_factory.mktemp("cache"))


@pytest.mark.few(4)
@pytest.mark.parametrize(
    ("item", "choices"),
    [
        pytest.param(item, choices, id=f"{item.rule}-{'-'.join(choices)}".replace("/", "-"))
        for item in EXCLUDED
        for choices in itertools.product(*(sorted(allowed) for allowed in item.choices.values()))
    ],
)
def test_what_is_excluded_is_refused(item, choices, stand_in):
    others = tuple(other for other in EXCLUDED if other is not item)
    case = definitions.completed(dict(zip(item.choices, choices, strict=True)), rules=others)
    if "source" not in item.choices:
        case["source"] = "repository"
    files, _ = definitions.generated(definitions.repository(case), stand_in, sealed=False)
    found = validate.validate([], validate.Toolchain(files, stand_in, None, NOW))
    refused = {problem.rule for problem in found.problems if problem.severity is Severity.ERROR}
    assert item.rule in refused


@pytest.mark.parametrize(
    ("part", "field"),
    [
        ({"pgbouncer": {"updateStrategy": {"maxSurge": "1"}}}, "pgbouncer"),
        ({"dags": {"persistence": {"accessMode": "ReadWriteOncePod"}}}, "dags.persistence"),
        ({"secrets": {"extra": {"x": {"keys": ["not a key"]}}}}, "secrets.extra.x.keys[0]"),
        ({"secrets": {"extra": {"x": {"keys": ["a"], "env": {"A": ".."}}}}}, "secrets.extra.x.env"),
    ],
)
def test_what_neither_chart_nor_cluster_takes_is_refused_where_it_is_written(part, field):
    case = definitions.completed({"dags": "volume", "database": "postgresql"})
    built = definitions.built(definitions.repository(case, more=part))
    (problem,) = [item for item in built.problems if item.severity is Severity.ERROR]
    assert (problem.rule, problem.path) == ("definition/schema", built.definition.path)
    assert problem.message.startswith(field)
    assert problem.line


@pytest.mark.parametrize("case", on(cases()))
def test_a_case_gives_a_tree_and_values_that_the_stand_in_chart_knows(case, stand_in):
    _check_tree(case, stand_in)


@pytest.mark.real_chart
@pytest.mark.parametrize("case", on(cases(), few=once()[:2]))
def test_a_case_gives_values_that_the_official_chart_knows(case, official):
    _check_tree(case, official)


def _check_tree(case, charts):
    case = {**case, "source": "vendored" if case["source"] == "rendered" else case["source"]}
    files, generation = definitions.generated(definitions.repository(case), charts, sealed=False)
    assert not [item for item in generation.problems if item.severity is Severity.ERROR]
    built = definitions.built(files)
    folder = built.definition.folder
    by_flux = case["engine"] == "flux"
    assert (f"{folder}/generated/application.yaml" in files.contents) != by_flux
    assert (f"{folder}/generated/release/release.yaml" in files.contents) == by_flux
    assert f"{folder}/generated/values.yaml" in files.contents
    archive = generate.archive_for(built, charts)
    values = validate.inputs(built, built.release, archive)
    assert not [
        *values_schema.schema_problems(values, archive.schema()),
        *unknown_keys.unknown_key_problems(values),
        *deprecated.deprecated_problems(values),
    ]
    _written_as_read(files.contents[f"{folder}/generated/values.yaml"], built.release.values)


def _written_as_read(text, values):
    """Argo CD gives Helm the file; we render the values themselves."""
    assert yaml.safe_load(text) == json.loads(json.dumps(values))


@pytest.mark.crds
@pytest.mark.parametrize("case", on(pairwise()))
def test_the_custom_resources_of_a_case_are_accepted_by_their_definitions(case, stand_in):
    if not CRDS:
        pytest.skip("needs the CustomResourceDefinitions: set GEN_ENV_CRDS to their folder")
    case = {**case, "source": "vendored" if case["source"] == "rendered" else case["source"]}
    files, _ = definitions.generated(definitions.repository(case), stand_in)
    documents = [
        document
        for path, text in files.contents.items()
        if path.endswith(".yaml") and not path.endswith(_NOT_OF_THE_CLUSTER)
        for document in yaml.safe_load_all(text)
    ]
    objects = [document for document in documents if "kind" in document]
    checked = crd_schema.check(objects, Path(CRDS))
    assert not checked.problems
    assert not checked.not_done
    flux = {"HelmRelease", "Kustomization"}
    engine = flux if case["engine"] == "flux" else {"Application", "AppProject"}
    assert {*engine, "Namespace"} <= {item["kind"] for item in objects}


@pytest.mark.few(2)
@pytest.mark.parametrize("case", on(cases(), all=pairwise()))
def test_a_case_renders_on_the_stand_in_chart(case, stand_in, renderer):
    _check_render(case, stand_in, renderer)


@pytest.mark.real_chart
@pytest.mark.parametrize("case", on(cases(), few=once()[:1], all=covering(_CHART_OPTIONS)))
def test_a_case_renders_on_the_official_chart(case, official, renderer):
    _check_render(case, official, renderer)


def _check_render(case, charts, renderer):
    sealed = case["secrets"] != "stubs"
    files, _ = definitions.generated(definitions.repository(case), charts, renderer, sealed=sealed)
    tools = validate.Toolchain(files, charts, renderer, NOW, crds=Path(CRDS) if CRDS else None)
    found = validate.validate([], tools)
    built = definitions.built(files)
    request = generate.request(built, generate.archive_for(built, charts))
    chart = list(renderer.render(request).manifests)
    objects = [*generate.own_manifests(built), *chart]
    faults = [
        *_findings(found),
        *_randomness(request, chart, renderer.inner),
        *_secrets(built.release, objects),
        *_restarts(built, chart),
        *_monitors(objects),
        *_policies(objects),
        *_plain(chart, hooks=_JOBS if case["engine"] == "flux" else ()),
        *_workloads(built.release, chart),
        *_images(case, chart),
        *_literal(case, chart),
    ]
    assert not faults, "\n".join(faults)


def _findings(found):
    """No error, and nothing that gen-env itself could have done better."""
    for problem in found.problems:
        ours = problem.rule.startswith(("rendered/", "kubernetes/", "crd/", "pod-security/"))
        ours = ours or problem.rule.startswith(("chart/", "values/", "tree/"))
        error = problem.severity is Severity.ERROR
        if problem.rule not in _CHOSEN and (error or ours):
            yield f"{problem.rule}: {problem.message}"
    for item in found.not_done:
        if CRDS or "CustomResource" not in item.reason:
            yield f"not done: {item.check}: {item.reason}"


def _randomness(request, chart, engine):
    """Nothing is random, and nothing depends on files of the chart that gen-env leaves out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GEN_ENV_WHOLE_CHARTS", "1")
        second = engine.render(request)
    if json.dumps(list(second.manifests)) != json.dumps(chart):
        yield "a second render, of the whole archive, gives other objects"


def _secrets(built, objects):
    """What is read is declared, name and key; what is declared is read by somebody."""
    needs = {need.name: set(need.key_names) for need in built.needs}
    read = set(wiring.certificates(objects))
    for pod in wiring.pods(objects):
        uses = wiring.secrets_of(pod) | wiring.pull_secrets_of(pod)
        read |= uses
        for name, key in uses:
            if name not in needs:
                yield f"{pod.kind} {pod.name} reads Secret {name}, which nothing declares"
            elif key is not None and key not in needs[name]:
                yield f"{pod.kind} {pod.name} reads {key} of Secret {name}, which has no such key"
    for name, key in wiring.certificates(objects):
        if key not in needs.get(name, ()):
            yield f"an ingress reads {key} of Secret {name}, which nothing declares"
    whole = {name for name, key in read if key is None}
    extra = set(built.environment.secrets.extra)
    for name, keys in needs.items():
        for key in keys:
            if (name, key) not in read and name not in whole | extra:
                yield f"{key} of Secret {name} must be sealed, and nothing reads it"
        if name not in {item for item, _ in read}:
            yield f"Secret {name} is declared, and nothing reads it"


def _restarts(built, chart):
    """Pods carry the hashes of exactly the sealed Secrets that they read at their start."""
    complete = {file.name for file in built.secrets if file.complete}
    for pod in wiring.pods(chart):
        if pod.stays:
            reads = {name for name, _ in wiring.secrets_of(pod)} & complete
            wanted = {release.annotation(name) for name in reads}
            annotations = pod.metadata.get("annotations") or {}
            has = {name for name in annotations if name.startswith(release.HASH_ANNOTATION)}
            for name in sorted(wanted - has):
                yield f"{pod.kind} {pod.name} would keep an old Secret: no annotation {name}"
            for name in sorted(has - wanted):
                yield f"{pod.kind} {pod.name} would restart for nothing: {name}"


def _monitors(objects):
    services = wiring.of_kind(objects, "Service")
    for monitor in wiring.of_kind(objects, "ServiceMonitor"):
        found = [
            service
            for service in services
            if wiring.selected(monitor["spec"]["selector"], service["metadata"]["labels"])
        ]
        ports = {port["name"] for service in found for port in service["spec"]["ports"]}
        for endpoint in monitor["spec"]["endpoints"]:
            if endpoint["port"] not in ports:
                yield f"ServiceMonitor {monitor['metadata']['name']} finds no {endpoint['port']}"


def _policies(objects):
    """Each policy finds a pod; only that for pods which tasks launch has nothing to find here."""
    made = list(wiring.pods(objects))
    for policy in wiring.of_kind(objects, "NetworkPolicy"):
        name = policy["metadata"]["name"]
        selector = policy["spec"]["podSelector"]
        found = any(wiring.selected(selector, pod.labels) for pod in made)
        if not found and not name.endswith("-allow-launched-pods"):
            yield f"NetworkPolicy {name} finds no pod"


# What no other object waits for may be a Helm hook where Helm itself installs.
_JOBS = ("-run-airflow-migrations", "-create-user")


def _workloads(built, chart):
    """Flux waits for what there is, and only its scaler sets the replicas of a workload."""
    made = {
        (item["kind"], item["metadata"]["name"]): item
        for kind in ("Deployment", "StatefulSet")
        for item in wiring.of_kind(chart, kind)
    }
    if set(built.line.workloads(built.topology)) != set(made):
        yield f"the workloads are {sorted(made)}"
    scalers = [
        *wiring.of_kind(chart, "HorizontalPodAutoscaler"),
        *wiring.of_kind(chart, "ScaledObject"),
    ]
    for scaler in scalers:
        target = scaler["spec"]["scaleTargetRef"]
        workload = made[target.get("kind", "Deployment"), target["name"]]
        if "replicas" in workload["spec"]:
            yield f"{target['name']} has a scaler and replicas of its own"


def _plain(chart, hooks):
    for manifest in chart:
        name = manifest["metadata"]["name"]
        annotations = manifest["metadata"].get("annotations") or {}
        if manifest["kind"] == "Secret":
            yield f"Secret {name} is rendered in the clear"
        hook = any(key.startswith("helm.sh/hook") for key in annotations)
        if hook and not name.endswith(hooks):
            yield f"{manifest['kind']} {name} is a Helm hook"


def _images(case, chart):
    """Airflow's image reaches every pod that runs Airflow, task pods included."""
    if case["image"] == "official":
        return
    written = OPTIONS["image"][case["image"]]["image"]
    tag = written.get("tag") or case["airflow"]
    digest = f"@{written['digest']}" if "digest" in written else ""
    wanted = f"{written['repository']}:{tag}{digest}"
    for pod in wiring.pods(chart):
        for container in pod.containers:
            image = container["image"]
            ours = image.startswith((written["repository"], "apache/airflow"))
            if ours and "pgbouncer" not in image and image != wanted:
                yield f"{pod.kind} {pod.name} runs {image}, not {wanted}"


def _literal(case, chart):
    """Text that looks like a template, and numbers that Go would rewrite, come out as written."""
    if case["settings"] != "tuned":
        return
    config = next(
        item["data"]["airflow.cfg"]
        for item in wiring.of_kind(chart, "ConfigMap")
        if "airflow.cfg" in item["data"]
    )
    for line in ("parallelism = 1000000", "dag_id = {{ ti.dag_id }}", "enable_health_check = True"):
        if line not in config.splitlines():
            yield f"airflow.cfg lacks '{line}'"
    for pod in wiring.pods(chart):
        if pod.component == "scheduler":
            variables = {
                item["name"]: item.get("value") for item in pod.spec["containers"][0]["env"]
            }
            wanted = {"GREETING": "{{ hello }} y", "ONLY_HERE": "yes"}
            if not wanted.items() <= variables.items():
                yield "the scheduler's variables are not as written"
