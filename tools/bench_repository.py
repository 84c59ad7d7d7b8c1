"""The repository that `make bench` measures on: teams with five stages each."""

from generator.yaml.writer import dump

CHART = "1.22.0"
STAGES = ("dev", "preprod", "production", "qa", "staging")
"""Of every team; in the order of their paths."""


def build(folder, count):
    """A repository of teams with five stages each, as gen-env's users would write them."""
    files = {"gen-env.yaml": dump(_settings())}
    for number in range(count):
        team, stage = f"team{number // len(STAGES):03}", STAGES[number % len(STAGES)]
        path = f"environments/{team}/{stage}/environment.yaml"
        files[path] = dump(_definition(team, stage))
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def _settings():
    cluster = {
        "server": "https://10.0.0.1:6443",
        "kubernetesVersion": "1.34.2",
        "apiVersions": ["keda.sh/v1alpha1", "monitoring.coreos.com/v1"],
        "apiServerCidrs": ["10.0.0.0/28"],
        "ingress": {"className": "nginx", "namespace": "ingress-nginx"},
        "monitoring": {"namespace": "monitoring", "labels": {"release": "prometheus"}},
    }
    return {
        "apiVersion": "gen-env.dev/v1",
        "kind": "Repository",
        "repository": {"url": "https://git.example.com/airflow-gitops.git"},
        "argocd": {"project": {"manage": True, "name": "airflow-{team}"}},
        "clusters": {"main": cluster},
    }


def _definition(team, stage):
    tier = {"dev": "development", "production": "production"}.get(stage, "staging")
    host = f"{stage}.{team}.example.com"
    common = {
        "apiVersion": "gen-env.dev/v1",
        "kind": "Environment",
        "metadata": {"name": stage, "team": team, "tier": tier},
        "destination": {"cluster": "main"},
        "airflow": {"version": "3.2.2", "config": {"core": {"parallelism": "64"}}},
        "chart": {"version": CHART},
        "image": {"repository": "registry.example.com/airflow", "tag": "3.2.2-r17"},
        "dags": {
            "gitSync": {
                "repository": f"git@git.example.com:{team}/dags.git",
                "ref": "4c1f0b7e2d9a8c6b5f3e1d0a9b8c7d6e5f4a3b2c",
                "subPath": "dags",
            }
        },
    }
    if tier == "development":
        return {**common, "database": {"type": "postgresql", "embedded": True}}
    return {
        **common,
        "auth": {"oidc": {"issuer": "https://id.example.com", "clientId": team}},
        "database": {"type": "postgresql", "host": f"pg.{host}", "cidrs": ["10.20.0.0/24"]},
        "pgbouncer": {"replicas": 2, "maxClientConnections": 1000},
        "apiServer": {"replicas": 2},
        "scheduler": {"replicas": 2},
        "workers": {"autoscaling": {"type": "keda", "minReplicas": 2, "maxReplicas": 20}},
        "logging": {"remote": {"type": "s3", "url": f"s3://logs/{team}/{stage}"}},
        "metrics": {"type": "statsd", "serviceMonitor": True},
        "ingress": {"host": f"airflow.{host}", "tls": {"clusterIssuer": "letsencrypt"}},
        "networkPolicy": {
            "mode": "enforce",
            "peers": {
                "git": [{"cidr": "140.82.112.0/20"}],
                "logs": [{"cidr": "10.40.0.0/24"}],
                "identity": [{"cidr": "10.50.0.10/32"}],
            },
            "taskEgress": [{"cidr": "10.30.0.0/16", "ports": [443]}],
        },
    }
