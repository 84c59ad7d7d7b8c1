"""Definitions made from choices: every option that a definition has, and which do not go together.

A case maps each option to one of its choices. `cases()` holds every pair of choices at least once,
and all executors with all DAG sources and databases. What cannot be is excluded with its reason and
with the rule by which gen-env refuses it.
"""

import functools
import itertools
from collections import OrderedDict
from typing import NamedTuple

from allpairspy import AllPairs

from generator.chart.cache import ChartCache
from generator.core.files import Snapshot
from generator.pipeline import generate
from generator.redaction.secret import Secret
from generator.render.cache import CachedRenderer, RenderCache
from generator.render.engine import choose_engine
from generator.seal import sealing
from generator.tree import catalogue
from generator.yaml import reader
from generator.yaml.scalars import as_json_types
from generator.yaml.writer import dump
from tests.generator.seal.keypair import NOW, sealing_certificate
from tests.standin_chart import stand_in_archive

DIGEST = "sha256:" + "9f2c3b1d" * 8
CORE = ("executor", "dags", "database")

_HOST = {"host": "db.internal.example.com", "cidrs": ["10.20.0.0/24"], "maxConnections": 5000}
_GIT = {"ref": "4c1f0b7e2d9a8c6b5f3e1d0a9b8c7d6e5f4a3b2c", "subPath": "dags"}
_KNOWN_HOST = "git.example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5\n"
_KEDA = {"type": "keda", "minReplicas": 1, "maxReplicas": 4}
_BUDGET = {"disruptionBudget": {"minAvailable": "50%"}}
_PARTS = ("apiServer", "scheduler", "dagProcessor", "triggerer", "workers")
_PEERS = {
    "git": [{"cidr": "140.82.112.0/20"}],
    "broker": [{"cidr": "10.60.0.0/24"}],
    "logs": [{"cidr": "10.40.0.0/24"}],
    "identity": [{"cidr": "10.50.0.10/32"}],
    "cloudIdentity": [{"cidr": "10.70.0.0/24"}],
    "secretsBackend": [{"namespace": "vault", "podLabels": {"app": "vault"}, "ports": [8200]}],
    "otel": [{"namespace": "monitoring", "podLabels": {"app": "otel-collector"}}],
}

# Option → choice → part of the definition.
OPTIONS = {
    "executor": {
        "local": {"airflow": {"executor": "LocalExecutor"}},
        "celery": {"airflow": {"executor": "CeleryExecutor"}},
        "kubernetes": {"airflow": {"executor": "KubernetesExecutor"}},
        "celery-kubernetes": {"airflow": {"executor": "CeleryExecutor,KubernetesExecutor"}},
        "local-kubernetes": {"airflow": {"executor": "LocalExecutor,KubernetesExecutor"}},
    },
    "dags": {
        "ssh": {
            "dags": {
                "gitSync": {
                    **_GIT,
                    "repository": "git@git.example.com:data/dags.git",
                    "knownHosts": _KNOWN_HOST,
                }
            }
        },
        "token": {
            "dags": {"gitSync": {**_GIT, "repository": "https://git.example.com/data/dags.git"}}
        },
        "volume": {"dags": {"persistence": {"size": "5Gi"}}},
        "bundles": {
            "dags": {
                "bundles": [
                    {
                        "name": "main",
                        "repository": "https://git.example.com/data/dags.git",
                        "secretName": "airflow-dags",
                    },
                    {"name": "baked", "type": "local", "path": "/opt/airflow/more"},
                ]
            }
        },
        "image": {"dags": {"image": {}}},
    },
    "database": {
        "embedded": {"database": {"type": "postgresql", "embedded": True}},
        "postgresql": {"database": {"type": "postgresql", **_HOST}},
        "pgbouncer": {
            "database": {"type": "postgresql", **_HOST},
            "pgbouncer": {"replicas": 2, "maxClientConnections": 2000},
        },
        "mysql": {"database": {"type": "mysql", **_HOST}},
    },
    "tier": {
        tier: {"metadata": {"tier": tier}} for tier in ("development", "staging", "production")
    },
    "airflow": {
        "3.2.2": {"airflow": {"version": "3.2.2"}},
        "2.11.2": {"airflow": {"version": "2.11.2"}},
    },
    "auth": {
        "none": {},
        "oidc": {
            "auth": {"oidc": {"issuer": "https://id.example.com", "clientId": "airflow"}},
        },
        "ldap": {
            "auth": {
                "ldap": {
                    "server": "ldaps://ldap.example.com",
                    "base": "ou=people,dc=example,dc=com",
                    "bindUser": "cn=airflow,dc=example,dc=com",
                }
            }
        },
        "user": {"auth": {"defaultUser": {}}},
        "manager": {"auth": {"manager": "example.managers.CompanyAuthManager"}},
    },
    "broker": {
        "embedded": {},
        "memory": {"broker": {"storage": None}},
        "external": {"broker": {"embedded": False, "host": "redis.internal.example.com"}},
        "sentinel": {
            "broker": {
                "embedded": False,
                "tls": True,
                "sentinel": {"masterName": "airflow", "hosts": ["s1", "s2:1"], "password": True},
            }
        },
    },
    "scaling": {
        "fixed": {"apiServer": {"replicas": 2}, "scheduler": {"replicas": 2}},
        "keda": {"workers": {"autoscaling": _KEDA}, "triggerer": {"autoscaling": _KEDA}},
        "hpa": {
            "apiServer": {"autoscaling": {"type": "hpa", "minReplicas": 2, "maxReplicas": 3}},
            "workers": {"autoscaling": {"type": "hpa", "maxReplicas": 4}},
        },
    },
    "triggerer": {"one": {}, "left-out": {"triggerer": {"replicas": 0, "autoscaling": None}}},
    "workers": {"stateless": {}, "volume": {"workers": {"persistence": {"size": "20Gi"}}}},
    "metrics": {
        "statsd": {"metrics": {"type": "statsd", "serviceMonitor": True}},
        "otel": {"metrics": {"type": "otel"}},
        "otel-elsewhere": {
            "metrics": {"type": "otel", "endpoint": "otel-collector.monitoring:4317"},
        },
        "none": {"metrics": {"type": "none"}},
    },
    "tracing": {
        "off": {},
        "own": {"tracing": {"enabled": True}},
        "elsewhere": {"tracing": {"enabled": True, "endpoint": "otel-collector.monitoring:4318"}},
        "headers": {
            "tracing": {
                "enabled": True,
                "endpoint": "https://otlp.example.com:4317",
                "headersSecretName": "otlp",
            }
        },
    },
    "logging": {
        "none": {},
        "volume": {"logging": {"persistence": {"size": "50Gi"}}},
        "elasticsearch": {"logging": {"remote": {"type": "elasticsearch"}}},
        "opensearch": {"logging": {"remote": {"type": "opensearch"}}},
        **{
            kind: {"logging": {"remote": {"type": kind, "url": url, "connectionId": "logs"}}}
            for kind, url in (
                ("s3", "s3://example-logs/airflow"),
                ("gcs", "gs://example-logs/airflow"),
                ("wasb", "wasb-example-logs/airflow"),
            )
        },
    },
    "ingress": {
        "none": {},
        "issuer": {
            "ingress": {"host": "airflow.example.com", "tls": {"clusterIssuer": "letsencrypt"}},
        },
        "namespace-issuer": {
            "ingress": {
                "host": "apps.example.com",
                "path": "/airflow",
                "tls": {"issuer": "own", "secretName": "airflow-certificate"},
            }
        },
        "secret": {"ingress": {"host": "airflow.example.com", "tls": {}}},
        "plain": {"ingress": {"host": "airflow.example.com"}},
        "gateway": {
            "gateway": {
                "parentRefs": [{"name": "public", "namespace": "gateways", "sectionName": "https"}],
                "hostnames": ["airflow.example.com"],
            }
        },
        "route": {"route": {"host": "airflow.example.com", "path": "/airflow"}},
    },
    "policy": {
        "off": {"networkPolicy": {"mode": "off"}},
        "ingress": {"networkPolicy": {"mode": "ingress"}},
        "enforce": {
            "networkPolicy": {
                "mode": "enforce",
                "peers": _PEERS,
                "taskEgress": [{"cidr": "10.30.0.0/16", "ports": [443]}],
            }
        },
    },
    "ca": {
        "none": {},
        "map": {"ca": {"configMap": "company-ca"}},
        "secret": {"ca": {"secret": "company-ca", "key": "bundle.pem"}},
    },
    "secrets": {
        "sealed": {},
        "stubs": {},
        "wide": {"secrets": {"scope": "namespace-wide"}},
        "external": {"secrets": {"provider": "external-secrets", "store": {"name": "vault"}}},
        "existing": {"secrets": {"provider": "existing"}},
    },
    "extra": {
        "none": {},
        "whole": {
            "secrets": {
                "extra": {
                    "airflow-connections": {"envFrom": True, "keys": ["AIRFLOW_CONN_WAREHOUSE"]}
                }
            }
        },
        "single": {
            "secrets": {
                "extra": {"warehouse": {"env": {"WAREHOUSE": "url"}, "keys": ["url", "ca"]}}
            }
        },
    },
    "backend": {
        "none": {},
        "vault": {
            "secretsBackend": {
                "backend": "airflow.providers.hashicorp.secrets.vault.VaultBackend",
                "kwargs": {"url": "https://vault.vault:8200", "connections_path": "connections"},
            }
        },
    },
    "security": {
        "default": {},
        "openshift": {"security": {"openshift": True, "uid": None}},
        "other-user": {"security": {"uid": 10_000}},
    },
    "image": {
        "tag": {"image": {"repository": "registry.example.com/airflow", "tag": "1234e5"}},
        "digest": {"image": {"repository": "registry.example.com/airflow", "digest": DIGEST}},
        "pull-secrets": {
            "image": {
                "repository": "registry.example.com/airflow",
                "tag": "r17",
                "pullSecrets": ["registry-credentials"],
            }
        },
        "official": {},
    },
    "cleanup": {
        "none": {},
        "pods": {"cleanup": {"pods": {}}},
        "both": {"cleanup": {"pods": {}, "database": {"retentionDays": 30}}},
    },
    "bounds": {
        "none": {},
        "both": {
            "quota": {"hard": {"requests.cpu": "60", "persistentvolumeclaims": "5"}},
            "limits": {"default": {"memory": "1Gi", "cpu": "1"}, "defaultRequest": {"cpu": "100m"}},
        },
    },
    "rbac": {
        "default": {},
        "no-launching": {"rbac": {"allowPodLaunching": False}},
        "not-created": {"rbac": {"create": False}},
        "many-namespaces": {"rbac": {"multiNamespace": True}},
    },
    "identity": {
        "none": {},
        "annotated": {
            "serviceAccount": {
                "annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/a"},
                "workers": {"example.com/tasks": "{{ not a template }}"},
            }
        },
    },
    "placement": {
        "none": {},
        "chosen": {
            "placement": {
                "nodeSelector": {"kubernetes.io/arch": "amd64"},
                "tolerations": [{"key": "airflow", "operator": "Exists", "effect": "NoSchedule"}],
                "spread": {"topologyKey": "kubernetes.io/hostname"},
                "priorityClassName": "important",
            },
            "workers": {"nodeSelector": {"pool": "tasks"}},
        },
    },
    "replacement": {
        "default": {},
        "tuned": {
            **dict.fromkeys(_PARTS, _BUDGET),
            "apiServer": {**_BUDGET, "updateStrategy": {"maxSurge": "2", "maxUnavailable": "0"}},
        },
    },
    "settings": {
        "default": {},
        "tuned": {
            "airflow": {
                "config": {
                    "core": {"parallelism": "1000000", "dag_id": "{{ ti.dag_id }}"},
                    "scheduler": {"enable_health_check": "True"},
                },
                "env": {"GREETING": "{{ hello }} y", "EMPTY": ""},
                "connectionCheck": {"maxCount": 0},
            },
            "scheduler": {"env": {"ONLY_HERE": "yes"}, "annotations": {"example.com/y": "n"}},
            "labels": {"cost-center": "0815", "area": "data"},
            "namespaceLabels": {"example.com/owner": "data", "example.com/area": "y"},
            "workers": {"concurrency": 4, "terminationGracePeriodSeconds": 1800},
        },
    },
    "values": {
        "none": {},
        "flower": {
            "values": {
                "flower": {
                    "enabled": True,
                    "secretName": "airflow-flower",
                    "resources": {"requests": {"cpu": "50m"}, "limits": {"memory": "256Mi"}},
                }
            }
        },
        "probes": {"values": {"scheduler": {"startupProbe": {"periodSeconds": 20}}}},
    },
    "name": {
        "plain": {"metadata": {"name": "one"}},
        "team": {
            "metadata": {"name": "one", "team": "payments"},
            "destination": {"releaseName": "af"},
        },
    },
    "source": {kind: {} for kind in ("repository", "oci", "vendored", "rendered")},
    "engine": {"argocd": {}, "flux": {"engine": "flux"}},
    "cluster": {
        "eu": {"destination": {"cluster": "eu"}},
        "us": {"destination": {"cluster": "us"}},
    },
}


class Exclusion(NamedTuple):
    """Choices that do not go together: which, why, and the rule by which gen-env says so."""

    rule: str
    why: str
    choices: dict


def _not(option, *choices):
    return {option: set(OPTIONS[option]) - set(choices)}


def _only(option, *choices):
    return {option: set(choices)}


EXCLUDED = (
    Exclusion(
        "database/embedded",
        "the chart's PostgreSQL is not for production",
        _only("database", "embedded") | _only("tier", "production"),
    ),
    Exclusion(
        "scaling/keda-needs-postgresql",
        "KEDA counts tasks in PostgreSQL",
        _only("database", "mysql") | _only("scaling", "keda"),
    ),
    Exclusion(
        "dags/bundles-need-airflow-3",
        "bundles came with Airflow 3",
        _only("dags", "bundles") | _only("airflow", "2.11.2"),
    ),
    Exclusion(
        "logging/opensearch-needs-airflow-3",
        "Airflow 2 cannot start with OpenSearch",
        _only("logging", "opensearch") | _only("airflow", "2.11.2"),
    ),
    Exclusion(
        "telemetry/headers-need-airflow-3",
        "Airflow 2 does not read headers for a collector",
        _only("tracing", "headers") | _only("airflow", "2.11.2"),
    ),
    Exclusion(
        "executor/may-not-launch",
        "each task of a Kubernetes executor is a pod that it launches",
        _not("executor", "local", "celery") | _only("rbac", "no-launching"),
    ),
    Exclusion(
        "auth/manager-needs-airflow-3",
        "auth managers came with Airflow 3",
        _only("auth", "manager") | _only("airflow", "2.11.2"),
    ),
    Exclusion(
        "auth/default-user",
        "a shared password is for development only",
        _only("auth", "user") | _not("tier", "development"),
    ),
    Exclusion(
        "ingress/without-tls",
        "nothing in production is served without TLS",
        _only("ingress", "plain") | _only("tier", "production"),
    ),
    Exclusion(
        "database/connections",
        "a LocalExecutor of Airflow 2 opens connections for each of a million tasks",
        {
            **_only("executor", "local", "local-kubernetes"),
            **_only("airflow", "2.11.2"),
            **_only("settings", "tuned"),
            **_only("tier", "production"),
            **_only("database", "postgresql", "mysql"),
        },
    ),
    Exclusion(
        "dags/ssh-key-unreadable",
        "values alone do not tell that OpenShift assigns the group that may read the key",
        _only("dags", "ssh") | _only("security", "openshift"),
    ),
    Exclusion(
        "sync/not-for-flux",
        "under Flux Helm runs in the cluster",
        _only("engine", "flux") | _only("source", "rendered"),
    ),
    Exclusion(
        "secrets/stub",
        "production runs on sealed secrets",
        _only("secrets", "stubs") | _only("tier", "production"),
    ),
)


def excluded(case, rules=EXCLUDED):
    """Why these choices do not go together, or nothing; a case may be incomplete."""
    for item in rules:
        if all(case.get(option) in choices for option, choices in item.choices.items()):
            return item.why
    return ""


@functools.cache
def pairwise():
    """Cases in which every possible pair of choices occurs."""
    matrix = OrderedDict((option, list(choices)) for option, choices in OPTIONS.items())
    names = list(matrix)
    rows = AllPairs(
        matrix, filter_func=lambda row: not excluded(dict(zip(names, row, strict=False)))
    )
    found = [dict(zip(names, row, strict=True)) for row in rows]
    seen = {pair for case in found for pair in pairs(case)}
    for one, other in itertools.combinations(OPTIONS, 2):
        for choice, another in itertools.product(OPTIONS[one], OPTIONS[other]):
            if ((one, choice), (other, another)) not in seen:
                case = completed({one: choice, other: another}, len(found))
                if case is not None:
                    found.append(case)
                    seen.update(pairs(case))
    return tuple(found)


@functools.cache
def cases():
    """The pairwise cases, and more until all executors occur with all DAG sources and databases."""
    found = list(pairwise())
    seen = {tuple(case[option] for option in CORE) for case in found}
    for core in itertools.product(*(OPTIONS[option] for option in CORE)):
        if core not in seen:
            found.append(completed(dict(zip(CORE, core, strict=True)), len(found)))
    return tuple(found)


def pairs(case):
    """Every pair of choices of a case."""
    return itertools.combinations(case.items(), 2)


def completed(start, turn=0, rules=EXCLUDED):
    """These choices with one for every other option, or None; `turn` varies which."""
    if excluded(start, rules):
        return None
    missing = next((option for option in OPTIONS if option not in start), None)
    if missing is None:
        return {option: start[option] for option in OPTIONS}
    choices = list(OPTIONS[missing])
    shift = turn % len(choices)
    for choice in (*choices[shift:], *choices[:shift]):
        case = completed({**start, missing: choice}, turn * 7 + len(start), rules)
        if case is not None:
            return case
    return None


def label(case):
    """A short name for a case in test reports."""
    return "-".join(case[option] for option in (*CORE, "airflow", "tier"))


def name_of(case):
    """The environment's path below environments/."""
    return {"plain": "one", "team": "payments/one"}[case["name"]]


def definition(case):
    """The definition of a case as plain data."""
    whole = {
        "apiVersion": "gen-env.dev/v1",
        "kind": "Environment",
        "chart": {"version": "1.22.0"},
    }
    for option, choice in case.items():
        _lay(whole, OPTIONS[option][choice])
    return whole


def _lay(target, part):
    for key, value in part.items():
        if isinstance(value, dict) and isinstance(target.get(key), dict):
            target[key] = dict(target[key])
            _lay(target[key], value)
        else:
            target[key] = value


def settings(source="repository", **more):
    """gen-env.yaml as plain data: two clusters, one of them bare."""
    urls = {"oci": "oci://registry.example.com/charts"}
    cluster = {
        "server": "https://10.0.0.1:6443",
        "kubernetesVersion": "1.34.2",
        "apiVersions": [
            *("gateway.networking.k8s.io/v1", "keda.sh/v1alpha1", "monitoring.coreos.com/v1"),
            "route.openshift.io/v1",
        ],
        "apiServerCidrs": ["10.0.0.0/28"],
        "ingress": {"className": "nginx", "namespace": "ingress-nginx"},
        "monitoring": {"namespace": "monitoring", "labels": {"release": "prometheus"}},
    }
    us = {
        **cluster,
        "server": "https://10.9.0.1:6443",
        "kubernetesVersion": "1.32.0",
        "dns": {"nodeLocal": "169.254.20.10"},
        "storageClass": "fast",
        "keda": {"namespace": "scaling"},
    }
    chart = {"source": source} | ({"url": urls[source]} if source in urls else {})
    return {
        "apiVersion": "gen-env.dev/v1",
        "kind": "Repository",
        "repository": {"url": "https://git.example.com/airflow-gitops.git"},
        "argocd": {"project": {"manage": True, "name": "airflow-{team}"}},
        "chart": chart,
        "clusters": {"eu": cluster, "us": us},
        **more,
    }


def repository(case, more=None):
    """The files of a repository with one environment, before anything is generated.

    `more` is a part of the definition that is laid over that of the case.
    """
    whole = definition(case)
    _lay(whole, more or {})
    path = f"environments/{name_of(case)}/environment.yaml"
    return Snapshot(
        {
            "gen-env.yaml": dump(settings(case.get("source", "repository"))).encode(),
            path: dump(whole).encode(),
        }
    )


def carried_out(files, generation):
    """The files as they are once every plan of a generation is carried out."""
    contents = dict(files.contents)
    for outcome in generation.outcomes:
        contents |= {path: text.encode() for path, text in outcome.plan.writes.items()}
        for path in outcome.plan.removals:
            del contents[path]
    return Snapshot(contents)


def generated(files, charts, renderer=None, *, sealed=True):
    """The files with every tree generated and, if wished, every stub sealed.

    Returns the files and the last generation, whose plans are carried out in them.
    """
    generation = generate.generate(files, (), charts, renderer)
    files = carried_out(files, generation)
    if not sealed:
        return files, generation
    files = Snapshot(
        {
            path: _sealed(text) if "/secrets/" in path else text
            for path, text in files.contents.items()
        }
    )
    generation = generate.generate(files, (), charts, renderer)
    return carried_out(files, generation), generation


def _sealed(text):
    manifest = as_json_types(reader.read(text, "").data)
    keys = manifest["spec"]["encryptedData"]
    values = {key: Secret(f"value of {key}".encode()) for key in keys}
    return dump(sealing.seal(manifest, values, sealing_certificate(), now=NOW)).encode()


def stand_in_charts(folder):
    """Charts with our own stand-in for the official one."""
    cache = ChartCache(folder / "cache")
    cache.add(stand_in_archive(folder), official=False)
    return generate.Charts(cache)


def official_charts(folder, archive):
    """Charts with the official archive."""
    cache = ChartCache(folder / "cache")
    cache.add(archive)
    return generate.Charts(cache)


def cached_renderer(folder):
    """Helm with a cache of its own, so that one case is rendered once."""
    return CachedRenderer(choose_engine(None), RenderCache(folder / "renders"))


def built(files):
    """The one environment of a repository, resolved and built."""
    found = catalogue.load(files)
    (item,) = found.definitions.values()
    return generate.build(files, found.settings, item)
