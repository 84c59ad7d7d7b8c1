# ruff: noqa: E501 (a table of one line each)
import pytest

from generator.lint.definition import all as definition_rules
from tests.repositories import DEV, PRODUCTION, SETTINGS, STAGING, changed, release

PLAIN = changed(SETTINGS, ("    apiVersions: [keda.sh/v1alpha1, monitoring.coreos.com/v1]\n", ""))
OPENSHIFT = SETTINGS + "    openshift: true\n"
CLASSES = (
    SETTINGS + "    storageClasses: {gp3: [ReadWriteOnce], efs: [ReadWriteOnce, ReadWriteMany]}\n"
)
ONE_NODE = SETTINGS + "    nodes: 1\n"
OIDC = 'auth: {oidc: {issuer: "https://id.example.com", clientId: airflow}}\n'
VOLUME = "{persistence: {accessMode: ReadWriteOnce}}"
OLD = changed(DEV, ("3.2.2", "2.11.0"))
GIT = changed(
    DEV, ("{image: {}}", '{gitSync: {repository: "https://g/d.git", public: true, ref: main}}')
)
BUNDLES = "{bundles: [{name: a, type: local, path: /d}]}"
NO_POOL = changed(PRODUCTION, ("pgbouncer: {replicas: 2, poolSize: 20}\n", ""))
LIMIT = ("cidrs: [10.20.0.0/24]", "cidrs: [10.20.0.0/24]\n  maxConnections: {}")

POOL = "pgbouncer: {replicas: 2, poolSize: 20}"
VERIFYING_POOL = changed(PRODUCTION, (POOL, POOL[:-1] + ", sslMode: verify-full}"))


def verified(text):
    return changed(text, (LIMIT[0], f"{LIMIT[0]}\n  sslMode: verify-full"))


def limited(text, number):
    return changed(text, (LIMIT[0], LIMIT[1].format(number)))


def windows(text, schedule, zone="UTC"):
    return (
        text
        + f'sync: {{windows: [{{kind: deny, schedule: "{schedule}", duration: 1h, timeZone: {zone}}}]}}\n'
    )


OFFERED = changed(SETTINGS, ("[keda", "[gateway.networking.k8s.io/v1, keda"))
OWN = OFFERED + "    gateway: {parentRefs: [{name: g, sectionName: https}]}\n"


def gateway(parent="{name: g, sectionName: https}", more="", text=STAGING):
    return f"{text}gateway: {{parentRefs: [{parent}], hostnames: [a.example.com]{more}}}\n"


def route(tls="{}", text=STAGING):
    return f"{text}route: {{host: a.example.com, tls: {tls}}}\n"


SERVED_TLS = route(
    "{termination: reencrypt}",
    changed(STAGING, ("airflow: {", "airflow: {config: {api: {ssl_cert: /c}}, ")),
)
RECIPIENT = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
SECOND = "age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg"
EXTERNAL = "backup: {external: nightly snapshots of the provider}\n"


BEFORE = ", beforeMigration: true"


def backup(more="", text=PRODUCTION, image='{repository: r/b, tag: "16"}', keys=RECIPIENT):
    written = (
        f"image: {image}, storage: {{volume: {{claim: c}}}}, encryption: {{recipients: [{keys}]}}"
    )
    return f"{text}backup: {{{written}{more}}}\n"


DIGEST = "{repository: r/b, digest: sha256:" + "9f2c3b1d" * 8 + "}"
MYSQL = changed(
    PRODUCTION,
    ("database:\n", "database:\n  type: mysql\n"),
    ("pgbouncer: {replicas: 2, poolSize: 20}\n", ""),
)
NONE = DEV + "gateway: {hostnames: [a.example.com]}\n"
MANAGED = SETTINGS + "argocd: {project: {manage: true}}\n"

NO_LEAVING = changed(DEV, ("embedded: true", "host: db.example.com"))
IMAGE = "image: {repository: registry.example.com/airflow, tag: 3.2.2-r1"
PINNED = "build: {base: 'apache/airflow:3.2.2@sha256:" + "a" * 64 + "'}"


def image(build, text=STAGING):
    return changed(text, (IMAGE, f"{IMAGE}, {build}"))


# Rule → (definitions it finds, each with its settings and line; definitions it leaves alone).
CASES = {
    "chart/leaves-with-2": (
        [(DEV, SETTINGS, "chart:"), (PRODUCTION, SETTINGS, "chart:")],
        [(NO_LEAVING, SETTINGS)],
    ),
    "image/base-not-pinned": (
        [(image("build: {base: 'apache/airflow:3.2.2'}"), SETTINGS, "image:")],
        [(image(PINNED), SETTINGS), (STAGING, SETTINGS)],
    ),
    "image/built-elsewhere": (
        [(f"{DEV}image: {{tag: a, {PINNED}}}\n", SETTINGS, "image: {tag")],
        [(image(PINNED), SETTINGS), (STAGING, SETTINGS)],
    ),
    "image/no-dags": (
        [(f"{DEV}{IMAGE}, {PINNED}}}\n", SETTINGS, IMAGE)],
        [(f"{DEV}{IMAGE}, {PINNED[:-1]}, dags: dags}}}}\n", SETTINGS), (image(PINNED), SETTINGS), (DEV, SETTINGS)],
    ),
    "backup/none": ([(PRODUCTION, SETTINGS, "database:"), (MYSQL, SETTINGS, "database:")], [(STAGING, SETTINGS), (PRODUCTION + EXTERNAL, SETTINGS), (backup(), SETTINGS)]),
    "backup/mysql": ([(backup(text=MYSQL), SETTINGS, "backup:")], [(MYSQL + EXTERNAL, SETTINGS), (backup(), SETTINGS)]),
    "backup/schedule": ([(backup(', schedule: "@daily"'), SETTINGS, "backup:"), (backup(', drill: {schedule: "1 2 3"}'), SETTINGS, "backup:"), (backup(", timeZone: Mars"), SETTINGS, "backup:")], [(backup(', schedule: "0 1 * * 1-5"'), SETTINGS), (PRODUCTION + EXTERNAL, SETTINGS)]),
    "backup/max-age": ([(backup(', schedule: "0 1 * * 0"'), SETTINGS, "backup:"), (backup(', schedule: "0 1 * * 1-5"'), SETTINGS, "backup:")], [(backup(), SETTINGS), (backup(', schedule: "0 1 * * 0", drill: {maxAge: 170h}'), SETTINGS), (backup(', schedule: "x"'), SETTINGS)]),
    "backup/image-not-read": ([(backup(), SETTINGS, "backup:")], [(PRODUCTION + EXTERNAL, SETTINGS)]),
    "backup/image-digest": ([(backup(), SETTINGS, "backup:")], [(backup(image=DIGEST), SETTINGS), (backup(text=STAGING), SETTINGS)]),
    "backup/no-drill": ([(backup(", drill: null"), SETTINGS, "backup:")], [(backup(), SETTINGS)]),
    "backup/before-migration": ([(backup(BEFORE, text="engine: flux\n" + PRODUCTION), SETTINGS, "backup:"), (backup(BEFORE, text=DEV), SETTINGS, "backup:")], [(backup(BEFORE), SETTINGS), (backup(text=DEV), SETTINGS)]),
    "backup/one-recipient": ([(backup(), SETTINGS, "backup:"), (backup(keys=f"{RECIPIENT}, {RECIPIENT}"), SETTINGS, "backup:")], [(backup(keys=f"{RECIPIENT}, {SECOND}"), SETTINGS), (backup(", drill: null"), SETTINGS)]),
    "gateway/no-parent": ([(NONE, OFFERED, "gateway:")], [(NONE, OWN), (gateway(), OFFERED), (DEV, OFFERED)]),
    "gateway/every-listener": (
        [(gateway("{name: g}"), OFFERED, "gateway:")],
        [(gateway(), OFFERED), (gateway("{name: g, port: 443}"), OFFERED), (NONE, OWN),
         (gateway("{name: g}", ", tls: false"), OFFERED)],
    ),
    "entrance/without-tls": (
        [(gateway(more=", tls: false"), OFFERED, "gateway:"), (route("null"), OPENSHIFT, "route:"),
         (route("{insecureEdgeTerminationPolicy: Allow}"), OPENSHIFT, "route:")],
        [(gateway(), OFFERED), (route(), OPENSHIFT), (route("null", DEV), OPENSHIFT)],
    ),
    "entrance/several": (
        [(gateway(), OFFERED, "gateway:"), (route(), OPENSHIFT, "route:")],
        [(gateway(text=DEV), OFFERED), (STAGING, SETTINGS), (DEV, SETTINGS)],
    ),
    "gateway/api-not-in-cluster": ([(gateway(), SETTINGS, "gateway:")], [(gateway(), OFFERED), (DEV, SETTINGS)]),
    "route/not-openshift": (
        [(route(), SETTINGS, "route:")],
        [(route(), OPENSHIFT), (route(), changed(SETTINGS, ("[keda", "[route.openshift.io/v1, keda"))), (DEV, SETTINGS)],
    ),
    "route/backend-tls": (
        [(route("{termination: passthrough}"), OPENSHIFT, "route:"), (route("{termination: reencrypt}"), OPENSHIFT, "route:")],
        [(route(), OPENSHIFT), (SERVED_TLS, OPENSHIFT), (DEV, SETTINGS)],
    ),
    "telemetry/headers-in-clear": (
        [(DEV + 'tracing: {enabled: true, endpoint: "otel:4318", headersSecretName: h}\n', SETTINGS, "tracing:"),
         (DEV + 'metrics: {type: otel, endpoint: "http://otel", headersSecretName: h}\n', SETTINGS, "metrics:")],
        [(DEV + 'metrics: {type: otel, endpoint: "https://otel", headersSecretName: h}\n', SETTINGS),
         (DEV + 'metrics: {type: otel, endpoint: "otel:4318"}\n', SETTINGS)],
    ),
    "telemetry/headers-need-airflow-3": (
        [(OLD + 'metrics: {type: otel, endpoint: "https://otel", headersSecretName: h}\n', SETTINGS, "metrics:")],
        [(DEV + 'metrics: {type: otel, endpoint: "https://otel", headersSecretName: h}\n', SETTINGS),
         (OLD + 'metrics: {type: otel, endpoint: "https://otel"}\n', SETTINGS)],
    ),
    "tracing/chart-collector": (
        [(DEV + "tracing: {enabled: true}\n", SETTINGS, "tracing:")],
        [(DEV, SETTINGS), (OLD + "tracing: {enabled: true}\n", SETTINGS),
         (DEV + 'tracing: {enabled: true, endpoint: "otel:4318"}\n', SETTINGS)],
    ),
    "logging/needs-shipper": (
        [(OLD + "logging: {remote: {type: elasticsearch}}\n", SETTINGS, "logging:")],
        [(DEV + "logging: {remote: {type: elasticsearch}}\n", SETTINGS), (OLD, SETTINGS)],
    ),
    "logging/wasb-connection": (
        [(DEV + 'logging: {remote: {type: wasb, url: "wasb-logs"}}\n', SETTINGS, "logging:")],
        [(DEV + 'logging: {remote: {type: wasb, url: "wasb-logs", connectionId: az}}\n', SETTINGS),
         (DEV, SETTINGS)],
    ),
    "scaling/refresh-needs-gunicorn": (
        [(DEV + "apiServer: {workerRefresh: {}}\n", SETTINGS, "apiServer:")],
        [(DEV, SETTINGS), (OLD + "apiServer: {workerRefresh: {}}\n", SETTINGS)],
    ),
    "auth/default-user": (
        [(changed(STAGING, (OIDC, "auth: {defaultUser: {}}\n")), SETTINGS, 8)],
        [(DEV, SETTINGS), (STAGING, SETTINGS)],
    ),
    "auth/none": (
        [(changed(STAGING, (OIDC, "auth: {}\n")), SETTINGS, 8)],
        [(changed(DEV, ("auth: {defaultUser: {}}\n", "")), SETTINGS), (STAGING, SETTINGS),
         (changed(STAGING, (OIDC, "auth: {manager: a.b.C}\n")), SETTINGS)],
    ),
    "auth/manager-needs-airflow-3": (
        [(changed(OLD, ("{defaultUser: {}}", "{manager: a.b.C}")), SETTINGS, 9)],
        [(changed(DEV, ("{defaultUser: {}}", "{manager: a.b.C}")), SETTINGS)],
    ),
    "dags/bundles-need-airflow-3": (
        [(changed(OLD, ("{image: {}}", BUNDLES)), SETTINGS, 8)],
        [(changed(DEV, ("{image: {}}", BUNDLES)), SETTINGS), (OLD, SETTINGS)],
    ),
    "dags/unpinned-ref": (
        [(changed(PRODUCTION, ("ref: 4610234", "ref: main")), SETTINGS, "ref: main"),
         (changed(PRODUCTION, ("ref: 4610234", "ref: feed")), SETTINGS, "ref: feed")],
        [(PRODUCTION, SETTINGS), (STAGING, SETTINGS), (GIT, SETTINGS)],
    ),
    "dags/volume-on-one-node": (
        [(changed(DEV, ("{image: {}}", VOLUME)), SETTINGS, 8)],
        [(changed(DEV, ("{image: {}}", VOLUME)), ONE_NODE),
         (changed(DEV, ("{image: {}}", VOLUME.replace("Once", "Many"))), SETTINGS)],
    ),
    "scaling/keda-not-in-cluster": (
        [(changed(PRODUCTION, (", serviceMonitor: true", "")), PLAIN, "autoscaling"),
         (DEV + "triggerer:\n  autoscaling: {type: keda, maxReplicas: 2}\n", PLAIN, 11)],
        [(PRODUCTION, SETTINGS), (STAGING, PLAIN),
         (DEV + "apiServer: {autoscaling: {type: hpa, maxReplicas: 2}}\n", PLAIN)],
    ),
    "scaling/keda-needs-postgresql": (
        [(changed(STAGING, ("{host: pg-staging", "{type: mysql, host: pg-staging"),
                  ("replicas: 2", "autoscaling: {type: keda, maxReplicas: 2}")), SETTINGS, 16)],
        [(changed(STAGING, ("{host: pg-staging", "{type: mysql, host: pg-staging"),
                  ("replicas: 2", "autoscaling: {type: hpa, maxReplicas: 2}")), SETTINGS)],
    ),
    "image/facts": (
        [(changed(STAGING, ("tag: 3.2.2-r1", f"tag: 3.2.2-r1, facts: {{{facts}}}")), SETTINGS, "facts")
         for facts in ("airflow: 3.2.2", "of: 3.2.2-r2, airflow: 3.2.2", "of: 3.2.2-r1, airflow: 3.2.1")],
        [(STAGING, SETTINGS),
         (changed(STAGING, ("tag: 3.2.2-r1", "tag: 3.2.2-r1, facts: {of: 3.2.2-r1, airflow: 3.2.2}")), SETTINGS)],
    ),
    "database/tls-behind-pgbouncer": (
        [(changed(PRODUCTION, (POOL, POOL[:-1] + ", sslMode: disable}")), SETTINGS, "pgbouncer:"),
         (changed(verified(PRODUCTION), (POOL, POOL[:-1] + ", sslMode: verify-ca}")), SETTINGS, "pgbouncer:")],
        [(PRODUCTION, SETTINGS), (verified(NO_POOL), SETTINGS), (verified(PRODUCTION), SETTINGS),
         (changed(verified(PRODUCTION), ("verify-full", "disable")), SETTINGS),
         (changed(verified(PRODUCTION), (POOL, POOL[:-1] + ", sslMode: verify-full}")), SETTINGS)],
    ),
    "database/pgbouncer-embedded": (
        [(DEV + "pgbouncer: {replicas: 1}\n", SETTINGS, 10)],
        [(DEV, SETTINGS), (PRODUCTION, SETTINGS)],
    ),
    "database/no-ca": (
        [(VERIFYING_POOL, SETTINGS, "pgbouncer:"), (verified(NO_POOL), SETTINGS, "sslMode"),
         (verified(PRODUCTION), SETTINGS, "sslMode")],
        [(PRODUCTION, SETTINGS), (NO_POOL, SETTINGS),
         (VERIFYING_POOL + "values: {pgbouncer: {ssl: {ca: PEM}}}\n", SETTINGS),
         (VERIFYING_POOL + "ca: {configMap: a}\n", SETTINGS),
         (verified(NO_POOL) + "ca: {secret: a, for: [database]}\n", SETTINGS),
         (changed(verified(NO_POOL), ("3.2.2", "3.2.2, env: {PGSSLROOTCERT: /ca.pem}")), SETTINGS)],
    ),
    "logging/opensearch-needs-airflow-3": (
        [(OLD + "logging: {remote: {type: opensearch}}\n", SETTINGS, 10)],
        [(DEV + "logging: {remote: {type: opensearch}}\n", SETTINGS),
         (OLD + "logging: {remote: {type: elasticsearch}}\n", SETTINGS)],
    ),
    "executor/may-not-launch": (
        [(changed(DEV, ("3.2.2}", "3.2.2, executor: KubernetesExecutor}")) + "rbac: {allowPodLaunching: false}\n", SETTINGS, 10)],
        [(DEV + "rbac: {allowPodLaunching: false}\n", SETTINGS)],
    ),
    "logging/volume-access-mode": (
        [(DEV + "logging: {persistence: {accessMode: ReadWriteOnce}}\n", ONE_NODE, 10),
         (DEV + "logging: {persistence: {existingClaim: a, accessMode: ReadOnlyMany}}\n", ONE_NODE, 10),
         (DEV + "logging: {persistence: {existingClaim: a, accessMode: ReadWriteOnce}}\n", SETTINGS, 10)],
        [(DEV + "logging: {persistence: {}}\n", SETTINGS),
         (DEV + "logging: {persistence: {existingClaim: a, accessMode: ReadWriteOnce}}\n", ONE_NODE)],
    ),
    "monitoring/operator-not-in-cluster": (
        [(DEV + "metrics: {serviceMonitor: true}\n", PLAIN, 10)],
        [(DEV + "metrics: {serviceMonitor: true}\n", SETTINGS), (DEV, PLAIN)],
    ),
    "storage/access-mode": (
        [(DEV + "logging: {persistence: {storageClassName: gp3}}\n", CLASSES, 10),
         (DEV + "logging: {persistence: {}}\n", CLASSES + "    storageClass: gp3\n", 10),
         (changed(DEV, ("{image: {}}", "{persistence: {storageClassName: gp3}}")), CLASSES, "dags:")],
        [(DEV + "logging: {persistence: {storageClassName: efs}}\n", CLASSES),
         (DEV + "logging: {persistence: {storageClassName: unknown}}\n", CLASSES),
         (DEV + "logging: {persistence: {existingClaim: a, storageClassName: gp3}}\n", CLASSES),
         (DEV + "logging: {persistence: {}}\n", CLASSES), (DEV, CLASSES),
         (DEV + "logging: {persistence: {storageClassName: gp3}}\n", SETTINGS)],
    ),
    "monitoring/nothing-to-scrape": (
        [(DEV + "metrics: {type: otel, endpoint: 'otel:4318', serviceMonitor: true}\n", SETTINGS, 10),
         (DEV + "metrics: {type: none, serviceMonitor: true}\n", SETTINGS, 10)],
        [(DEV + "metrics: {serviceMonitor: true}\n", SETTINGS),
         (DEV + "metrics: {type: otel, serviceMonitor: true}\n", SETTINGS),
         (changed(PRODUCTION, ("{type: statsd,", "{type: none,")), SETTINGS)],
    ),
    "monitoring/alerts-without-series": (
        [(DEV + "metrics: {serviceMonitor: true, type: otel, alerts: {}}\n", SETTINGS, 10),
         (DEV + "metrics: {serviceMonitor: true, endpoint: 'agent:8125', dashboards: sidecar}\n", SETTINGS, 10),
         (DEV + "metrics: {alerts: {}}\n", SETTINGS, 10)],
        [(DEV + "metrics: {serviceMonitor: true, alerts: {}}\n", SETTINGS),
         (DEV + "metrics: {serviceMonitor: true, endpoint: 'agent:8125'}\n", SETTINGS)],
    ),
    "monitoring/names-not-captured": (
        [(changed(DEV, ("version: 3.2.2", "version: 3.0.6")) + "metrics: {serviceMonitor: true, alerts: {}}\n", SETTINGS, 10),
         (DEV + "metrics: {serviceMonitor: true, alerts: {}}\nimage: {tag: 3.0.6}\n", SETTINGS, 10)],
        [(DEV + "metrics: {serviceMonitor: true, alerts: {}}\n", SETTINGS),
         (changed(DEV, ("version: 3.2.2", "version: 3.0.6"))
          + "metrics: {serviceMonitor: true, alerts: {}}\nimage: {tag: 3.2.2}\n", SETTINGS),
         (changed(DEV, ("version: 3.2.2", "version: 3.0.6")) + "metrics: {serviceMonitor: true}\n", SETTINGS)],
    ),
    "monitoring/own-metric-names": (
        [(DEV + "metrics: {serviceMonitor: true, alerts: {}}\nvalues: {config: {metrics: {statsd_prefix: own}}}\n",
          SETTINGS, 10)],
        [(DEV + "metrics: {serviceMonitor: true}\nvalues: {config: {metrics: {statsd_prefix: own}}}\n", SETTINGS),
         (DEV + "metrics: {serviceMonitor: true, alerts: {}}\n"
          "values: {config: {metrics: {statsd_prefix: airflow}}}\n", SETTINGS)],
    ),
    "database/connections": (
        [(limited(PRODUCTION, 49), SETTINGS, "maxConnections"), (limited(NO_POOL, 20), SETTINGS, "maxConnections")],
        [(limited(PRODUCTION, 50), SETTINGS), (PRODUCTION, SETTINGS), (limited(NO_POOL, 5000), SETTINGS)],
    ),
    "network/off": (
        [(changed(PRODUCTION, ("mode: enforce", "mode: off")), SETTINGS, "mode: off")],
        [(PRODUCTION, SETTINGS), (changed(PRODUCTION, ("mode: enforce", "mode: ingress")), SETTINGS),
         (STAGING, SETTINGS)],
    ),
    "network/task-egress": (
        [(changed(PRODUCTION, ("  taskEgress: [{cidr: 10.30.0.0/16, ports: [443]}]\n", "")), SETTINGS, "networkPolicy:")],
        [(PRODUCTION, SETTINGS), (STAGING, SETTINGS)],
    ),
    "security/pod-security": (
        [(STAGING + "security: {podSecurity: privileged}\n", SETTINGS, "security:")],
        [(STAGING + "security: {podSecurity: baseline}\n", SETTINGS), (STAGING, SETTINGS),
         (DEV + "security: {podSecurity: privileged}\n", SETTINGS)],
    ),
    "security/openshift-group": (
        [(DEV + "security: {gid: 1000}\n", OPENSHIFT, 10),
         (DEV + "security: {openshift: true, uid: null, gid: 1000}\n", SETTINGS, 10)],
        [(DEV + "security: {gid: 1000}\n", SETTINGS), (DEV, OPENSHIFT)],
    ),
    "executor/settings-without-effect": (
        [(DEV + "workers: {concurrency: 2}\n", SETTINGS, 10)],
        [(DEV, SETTINGS), (STAGING, SETTINGS),
         (changed(DEV, ("3.2.2}", "3.2.2, executor: KubernetesExecutor}")) + "workers: {concurrency: 2}\n", SETTINGS)],
    ),
    "sync/schedule": (
        [(windows(DEV, "every friday"), MANAGED, 10), (windows(DEV, "61 0 * * *"), MANAGED, 10),
         (windows(DEV, "0 1 * * 5", "Mars/Olympus"), MANAGED, 10)],
        [(windows(DEV, "0 1 * * 5", "Europe/Berlin"), MANAGED), (DEV, MANAGED)],
    ),
}  # fmt: skip


def found(text, settings):
    return list(definition_rules.problems(release(text, settings=settings)))


def test_every_rule_has_cases():
    assert {rule.id for rule in definition_rules.rules()} == set(CASES)


@pytest.mark.parametrize(
    ("rule", "case"),
    [(rule, case) for rule, (wrong, _) in CASES.items() for case in wrong],
    ids=lambda item: item if isinstance(item, str) else "",
)
def test_a_rule_finds_its_mistake_at_its_line(rule, case):
    text, settings, line = case
    if isinstance(line, str):
        lines = text.splitlines()
        line = next(number for number, part in enumerate(lines, 1) if line in part)
    hits = [problem for problem in found(text, settings) if problem.rule == rule]
    assert hits, "not found"
    name = "dev" if "name: dev" in text else "staging" if "name: staging" in text else "production"
    assert {(hit.path, hit.line) for hit in hits} == {
        (f"environments/{name}/environment.yaml", line)
    }
    assert all(hit.message and hit.hint for hit in hits)


@pytest.mark.parametrize(
    ("rule", "case"),
    [(rule, case) for rule, (_, right) in CASES.items() for case in right],
    ids=lambda item: item if isinstance(item, str) else "",
)
def test_a_rule_leaves_what_is_right_alone(rule, case):
    assert rule not in {problem.rule for problem in found(*case)}


def test_the_tier_decides_how_much_a_rule_matters():
    (staging,) = [
        p
        for p in found(
            limited(changed(NO_POOL, ("tier: production", "tier: staging")), 20), SETTINGS
        )
        if p.rule == "database/connections"
    ]
    (production,) = [
        p for p in found(limited(NO_POOL, 20), SETTINGS) if p.rule == "database/connections"
    ]
    assert (staging.severity.value, production.severity.value) == ("warning", "error")
    development = limited(changed(NO_POOL, ("tier: production", "tier: development")), 20)
    assert "database/connections" not in {p.rule for p in found(development, SETTINGS)}


def test_the_connections_that_the_replicas_add_up_to_are_told_in_parts():
    (problem,) = [
        p for p in found(limited(NO_POOL, 20), SETTINGS) if p.rule == "database/connections"
    ]
    assert "scheduler" in problem.message and "workers" in problem.message
    (problem,) = [
        p for p in found(limited(PRODUCTION, 49), SETTINGS) if p.rule == "database/connections"
    ]
    assert "may open 50 connections (2 PgBouncers with 25 each)" in problem.message
