"""Each shape in which teams have their release: adopted, written, rendered, and nothing differs."""

import re

import pytest
import yaml

from generator.core.layered import dotted, leaves
from tests.effort import marks
from tests.generator.adoption.scene import Adoption, application, case, computed, record

HOST = "database.host=pg.example.com"
PLAIN = """\
executor: KubernetesExecutor
images: {airflow: {repository: registry.example.com/a, tag: 3.2.2-r1}}
scheduler: {replicas: 2, resources: {requests: {cpu: 250m}}}
config: {core: {parallelism: 32, load_examples: false}}
extraEnv: |
  - name: TZ
    value: Europe/Berlin
dags:
  gitSync:
    enabled: true
    repo: git@git.example.com:dags.git
    branch: main
    ref: main
    subPath: dags
    sshKeySecret: git-key
"""
OLD_NAMES = """\
executor: CeleryExecutor
workers:
  replicas: 3
  resources: {limits: {memory: 2Gi}}
  persistence: {enabled: false}
  keda: {enabled: false}
  terminationGracePeriodSeconds: 900
  safeToEvict: true
"""
IGNORED = """\
executor: CeleryExecutor
defaultUser: {enabled: true, username: me}
web: {service: {type: LoadBalancer}}
scheduler: {replicas: 2}
schduler: {replicas: 3}
workers: {celery: {replica: 4, replicas: 2}}
"""
PARAMETERS = [
    {"name": "scheduler.replicas", "value": "2"},
    {"name": "config.core.parallelism", "value": "16", "forceString": True},
]
FLUX = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: airflow, namespace: flux-system}
spec:
  targetNamespace: airflow
  releaseName: team-airflow
  chart: {spec: {chart: airflow, version: 1.22.0, sourceRef: {kind: HelmRepository, name: a}}}
  values:
    executor: KubernetesExecutor
    logs: {persistence: {enabled: true, size: 20Gi}}
    createUserJob: {useHelmHooks: false}
    migrateDatabaseJob: {useHelmHooks: false}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: a}
spec: {url: https://airflow.apache.org}
"""


IDENTITIES = """\
executor: CeleryExecutor
apiServer: {serviceAccount: {annotations: {role: "role/{{ .Release.Name }}"}}}
scheduler: {serviceAccount: {annotations: {role: role/team-airflow}}}
triggerer: {serviceAccount: {annotations: {role: role/team-airflow, tasks: "yes"}}}
workers: {celery: {serviceAccount: {annotations: {role: role/team-airflow, tasks: "yes"}}}}
"""
NODES = """\
executor: CeleryExecutor
apiServer: {nodeSelector: {pool: web}, service: {type: NodePort}}
webserver: {nodeSelector: {pool: web}, service: {type: NodePort}}
scheduler: {nodeSelector: {pool: core}, serviceAccount: {create: false, name: launcher}}
triggerer: {enabled: false}
createUserJob: {nodeSelector: {pool: core}, defaultUser: {username: me, role: Admin}}
migrateDatabaseJob: {nodeSelector: {pool: core}, jobAnnotations: {argocd.argoproj.io/hook: Sync}}
postgresql: {primary: {nodeSelector: {pool: data}, persistence: {size: 5Gi}}}
redis: {nodeSelector: {pool: data}}
statsd: {nodeSelector: {pool: core}}
flower: {enabled: false}
workers: {nodeSelector: {pool: tasks}}
extraEnv: |
  - name: AIRFLOW_CONN_STORE
    valueFrom: {secretKeyRef: {name: store, key: uri}}
"""


def both(text):
    """A file and the values in it."""
    return {"values.yaml": text}, ["values.yaml"], yaml.safe_load(text)


def shape_computed(archive):
    text = computed(archive, PLAIN)
    return {"all.yaml": text}, ["all.yaml"], yaml.safe_load(PLAIN)


def shape_helm(archive):
    text = "USER-SUPPLIED VALUES:\n" + PLAIN
    return {"live.yaml": text}, ["live.yaml"], yaml.safe_load(PLAIN)


def shape_application(archive):
    helm = {"values": OLD_NAMES, "parameters": PARAMETERS, "releaseName": "af"}
    values = yaml.safe_load(OLD_NAMES) | {"scheduler": {"replicas": 2}}
    values |= {"config": {"core": {"parallelism": "16"}}}
    return {"app.yaml": application(helm)}, ["app.yaml"], values


def shape_sources(archive):
    """Several sources: the chart, and this repository for values files, overruled by an object."""
    chart = {
        "repoURL": "https://airflow.apache.org",
        "chart": "airflow",
        "targetRevision": "1.22.0",
        "helm": {
            "valueFiles": ["$here/base.yaml", "$here/over.yaml"],
            "valuesObject": {"triggerer": {"replicas": 2}},
        },
    }
    here = {"repoURL": "https://git.example.com/here.git", "ref": "here"}
    files = {
        "app.yaml": application({}, source=None, sources=[chart, here]),
        "base.yaml": "executor: LocalExecutor\nscheduler: {replicas: 1}\n",
        "over.yaml": "scheduler: {replicas: 2}\nstatsd: {enabled: false}\n",
    }
    values = {
        "executor": "LocalExecutor",
        "scheduler": {"replicas": 2},
        "statsd": {"enabled": False},
        "triggerer": {"replicas": 2},
    }
    return files, ["app.yaml"], values


def shape_remote(archive):
    """An Application whose values file is elsewhere: it is given beside."""
    helm = {"valueFiles": ["https://example.com/v.yaml"], "values": "scheduler: {replicas: 2}"}
    files = {"app.yaml": application(helm), "v.yaml": "executor: KubernetesExecutor\n"}
    values = {"executor": "KubernetesExecutor", "scheduler": {"replicas": 2}}
    return files, ["app.yaml", "v.yaml"], values


def shape_flux(archive):
    return {"hr.yaml": FLUX}, ["hr.yaml"], next(yaml.safe_load_all(FLUX))["spec"]["values"]


CONFIG_MAP = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: airflow-values, namespace: airflow}
data:
  more.yaml: |
    executor: LocalExecutor
    scheduler: {replicas: 1}
    statsd: {enabled: false}
"""
FLUX_FROM = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: airflow, namespace: airflow}
spec:
  chart: {spec: {chart: airflow, version: 1.22.0, sourceRef: {kind: HelmRepository, name: a}}}
  valuesFrom: [{kind: ConfigMap, name: airflow-values, valuesKey: more.yaml}]
  values: {scheduler: {replicas: 2}}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: a}
spec: {url: https://airflow.apache.org}
"""
BOTH = {"executor": "LocalExecutor", "scheduler": {"replicas": 2}, "statsd": {"enabled": False}}


def shape_flux_with_config_map(archive):
    return {"hr.yaml": f"{FLUX_FROM}---\n{CONFIG_MAP}"}, ["hr.yaml"], BOTH


def shape_flux_and_config_map(archive):
    return {"hr.yaml": FLUX_FROM, "cm.yaml": CONFIG_MAP}, ["hr.yaml", "cm.yaml"], BOTH


def shape_record(archive):
    """The Secret in which Helm keeps a release."""
    text = yaml.safe_dump(record(yaml.safe_load(PLAIN)))
    return {"secret.yaml": text}, ["secret.yaml"], yaml.safe_load(PLAIN)


def shape_parameters(archive):
    """Everything at once, as Argo CD stacks it: file, text, object over text, parameters."""
    helm = {
        "valueFiles": ["base.yaml", "missing.yaml"],
        "ignoreMissingValueFiles": True,
        "valuesObject": {"scheduler": {"replicas": 3}, "labels": {"a": "object"}},
        "parameters": [
            {"name": "scheduler.replicas", "value": "4"},
            {"name": "labels.example\\.com/team", "value": "data"},
            {"name": "env[0].name", "value": "TZ"},
            {"name": "env[0].value", "value": "UTC"},
        ],
    }
    chart = {
        "repoURL": "https://airflow.apache.org",
        "chart": "airflow",
        "targetRevision": "1.22.0",
        "helm": {**helm, "valueFiles": ["$own/base.yaml", "$own/missing.yaml"]},
    }
    own = {"repoURL": "https://git.example.com/here.git", "ref": "own"}
    files = {
        "app.yaml": application({}, source=None, sources=[chart, own]),
        "base.yaml": "executor: KubernetesExecutor\nscheduler: {replicas: 1}\nredis: {}\n",
    }
    values = {
        "executor": "KubernetesExecutor",
        "scheduler": {"replicas": 4},
        "labels": {"a": "object", "example.com/team": "data"},
        "env": [{"name": "TZ", "value": "UTC"}],
    }
    return files, ["app.yaml"], values


def shape_umbrella(archive):
    text = yaml.safe_dump({"airflow": yaml.safe_load(PLAIN), "platform": {"label": "x"}})
    repository = "https://airflow.apache.org"
    dependency = {"name": "airflow", "version": "1.22.0", "repository": repository}
    about = {"apiVersion": "v2", "name": "platform", "version": "0.1.0"}
    parent = yaml.safe_dump({**about, "dependencies": [dependency]})
    return {"values.yaml": text, "Chart.yaml": parent}, ["values.yaml"], yaml.safe_load(PLAIN)


def shape_layers(archive):
    files = {"a.yaml": PLAIN, "b.yaml": "scheduler: {replicas: 3}\nuseStandardNaming: true\n"}
    values = yaml.safe_load(PLAIN) | {"useStandardNaming": True}
    values["scheduler"] = {**values["scheduler"], "replicas": 3}
    return files, ["a.yaml", "b.yaml"], values


SHAPES = {
    "values file": lambda archive: both(PLAIN),
    "old names": lambda archive: both(OLD_NAMES),
    "keys that nobody reads": lambda archive: both(IGNORED),
    "production with Celery": lambda archive: both(case("celery-keda-pgbouncer")),
    "task pods": lambda archive: both(case("kubernetes")),
    "worker sets": lambda archive: both(case("worker-sets")),
    "Airflow 2": lambda archive: both(case("airflow-2-11")),
    "tasks in the scheduler": lambda archive: both(case("local-postgres")),
    "helm get values": shape_helm,
    "helm get values --all": shape_computed,
    "Application with text and parameters": shape_application,
    "Application with sources": shape_sources,
    "Application with a remote file": shape_remote,
    "HelmRelease": shape_flux,
    "HelmRelease with its ConfigMap": shape_flux_with_config_map,
    "HelmRelease and its ConfigMap": shape_flux_and_config_map,
    "Helm's record": shape_record,
    "Application with everything": shape_parameters,
    "nodes by hand": lambda archive: both(NODES),
    "identities": lambda archive: both(IDENTITIES),
    "umbrella chart": shape_umbrella,
    "layers": shape_layers,
}


# The official chart takes its time: the shapes that differ most, and those for every run.
OFFICIAL = (
    "values file",
    "old names",
    "keys that nobody reads",
    "production with Celery",
    "task pods",
    "Airflow 2",
    "helm get values --all",
    "Application with text and parameters",
    "Application with everything",
    "HelmRelease",
    "Helm's record",
    "nodes by hand",
    "identities",
)
OFTEN = ("production with Celery", "nodes by hand")
RUNS = [
    *(pytest.param("stand-in", shape, id=f"stand-in, {shape}") for shape in SHAPES),
    *(
        pytest.param(
            "official",
            shape,
            id=f"official, {shape}",
            marks=[pytest.mark.real_chart, *marks(shape, test=OFTEN)],
        )
        for shape in OFFICIAL
    ),
]


@pytest.mark.few(1)
@pytest.mark.parametrize(("chart", "shape"), RUNS, indirect=["chart"])
def test_the_cluster_is_given_the_same_objects(shape, chart, tmp_path):
    files, paths, values = SHAPES[shape](chart)
    adoption = Adoption(tmp_path / "repo", chart, files)
    # The server's name is asked for where the values name a Secret alone.
    more = ["--set", HOST] if "metadataSecretName" in values.get("data", {}) else []
    done = adoption.run(*paths, "--name", "staging", "--write", *more)
    assert done.code == 0, done.said
    assert adoption.repo.run("generate", "--check").code == 0
    spec = adoption.application["spec"]
    helm = spec["sources"][0]["helm"]
    before = adoption.before(values, helm["releaseName"], spec["destination"]["namespace"])
    after = adoption.after()
    assert sorted(after) == sorted(before)
    for key, manifest in before.items():
        assert after[key] == manifest, key


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("shape", "stuck", "left"),
    [
        (
            "production with Celery",
            {"networkPolicy"},
            {"values.apiServer.args", "values.ingress.apiServer"},
        ),
        ("task pods", {"dags.gitSync"}, {"values.triggerer.keda"}),
        ("Airflow 2", {"networkPolicy"}, {"values.ingress.web"}),
        ("HelmRelease", set(), set()),
    ],
)
def test_hardening_goes_to_its_end_or_says_how(shape, stuck, left, own_chart, tmp_path):
    """Every step is taken; where a value stands in the way, as the command itself says.

    What no field in use decides stays in values, and the last step names it. The chart's network
    policies are in the way while gen-env's are off: without either every port would be open.
    """
    files, paths, values = SHAPES[shape](own_chart)
    adoption = Adoption(tmp_path / "repo", own_chart, files)
    more = ["--set", HOST] if "metadataSecretName" in values.get("data", {}) else []
    assert adoption.run(*paths, "--name", "staging", "--write", *more).code == 0
    fields = set()
    while "adoption" in adoption.definition:
        done = adoption.repo.run("harden", "staging")
        if done.code:
            told = done.stderr.split("[adoption/no-field]")[1:]
            fields |= {re.search(r"after this step (\S+) decides it", part)[1] for part in told}
            command = re.search(r"see the effect: gen-env (.+)", done.stderr)[1]
            forced = adoption.repo.run(*command.split())
            assert forced.code == 0, forced.said
            for name in re.findall(r"--drop (\S+)", command):
                assert name in forced.stdout
            done = forced
        assert ("verify it; it was the last" in done.stderr) is (
            "adoption" not in adoption.definition
        )
    told = re.search(r"^stays in values, .*: (.+)$", done.stdout, re.MULTILINE)
    names = told[1].split(", ") if told else []
    assert left <= set(names), names
    for path, _ in leaves(adoption.definition.get("values") or {}):
        assert not path or f"values.{dotted(path)}.".startswith(tuple(f"{n}." for n in names)), path
    assert stuck <= fields
    assert bool(stuck) == bool(fields)
    assert adoption.repo.run("generate", "--check").code == 0
    rules = {p["rule"] for p in adoption.repo.run("validate", "-o", "json").json["problems"]}
    assert not {rule for rule in rules if rule.startswith(("values/", "adoption/", "definition/"))}


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("text", "field"),
    [
        (
            IDENTITIES,
            {"annotations": {"role": "role/team-airflow"}, "workers": {"tasks": "yes"}},
        ),
        (
            "scheduler: {serviceAccount: {annotations: {a: b}}}\n",
            {"annotations": {"a": "b"}},
        ),
        (
            "executor: KubernetesExecutor\n"
            "workers: {kubernetes: {serviceAccount: {create: true, annotations: {a: b}}}}\n",
            {"workers": {"a": "b"}},
        ),
        (
            "scheduler: {serviceAccount: {annotations: {a: b}}}\n"
            "triggerer: {serviceAccount: {annotations: {a: c}}}\n",
            None,
        ),
        ("scheduler: {serviceAccount: {annotations: {a: '{{ .Values.uid }}'}}}\n", None),
    ],
    ids=["all", "one", "task pods", "they differ", "a template of values"],
)
def test_identities_become_a_field_where_it_says_the_same(text, field, own_chart, tmp_path):
    adoption = Adoption(tmp_path / "repo", own_chart, {"v.yaml": text})
    release = ("--release", "team-airflow")
    done = adoption.run("v.yaml", "--name", "staging", "--write", *release)
    assert done.code == 0, done.said
    assert adoption.definition.get("serviceAccount") == field
    kept = "annotations" in yaml.safe_dump(adoption.definition.get("values") or {})
    assert kept is (field is None)
    assert adoption.after() == adoption.before(yaml.safe_load(text), "team-airflow")
