"""Checks of keys and passwords that the chart makes up, and objects that come and go."""

from __future__ import annotations

from collections.abc import Iterator

from generator.helmvalues.values import ValuesInput
from generator.lint.rule import ERROR, WARNING, Finding, check

_RANDOM = "chart 1.22.0, rendered twice and compared"


@check(
    "secrets/random-fernet-key",
    ERROR,
    "A Fernet key that changes",
    why="The chart generates one in a pre-install hook, which Argo CD runs at every sync: "
    "connections and variables stored before cannot be decrypted any more.",
    source="chart 1.22.0, rendered; apache/airflow#47963",
    also=((WARNING, "Helm or Flux runs the hook at install only"),),
)
def random_fernet_key(values: ValuesInput) -> Iterator[Finding]:
    """No Fernet key by name or value."""
    if values.on("fernetKeySecretName") or values.on("fernetKey"):
        return
    if values.sets_variable("AIRFLOW__CORE__FERNET_KEY") and _built_in_off(
        values, "AIRFLOW__CORE__FERNET_KEY"
    ):
        return
    argocd = values.engine == "argocd"
    yield Finding(
        (),
        "every sync makes stored connections and variables unreadable: the Fernet key is new each "
        "time"
        if argocd
        else "the Fernet key is generated at install; lose it and stored connections are "
        "unreadable",
        "set {key:fernetKeySecretName} to a Secret with the key fernet-key",
        None if argocd else WARNING,
    )


@check(
    "secrets/random-api-key",
    ERROR,
    "An API secret key that changes",
    why="It is generated at every render: the Application is OutOfSync for ever and sessions end.",
    source=_RANDOM,
)
def random_api_key(values: ValuesInput) -> Iterator[Finding]:
    """Airflow 3 without an API secret key."""
    if not values.airflow3 or values.get("apiServer.enabled") is False:
        return
    own = values.chart.marked("api-secret-key")
    key = "apiSecretKey" if own else "webserverSecretKey"
    if not values.on(f"{key}SecretName") and not values.on(key):
        yield Finding(
            (),
            "every sync ends all sessions: the API secret key is generated again",
            f"set {{key:{key}SecretName}} to a Secret with the key "
            + ("api-secret-key" if own else "webserver-secret-key"),
        )


@check(
    "secrets/random-jwt-secret",
    ERROR,
    "A JWT secret that changes",
    why="It is generated at every render and makes the tokens of running tasks invalid; from chart "
    "1.19 on a checksum also restarts API server and scheduler.",
    source=_RANDOM + "; apache/airflow#57415",
)
def random_jwt_secret(values: ValuesInput) -> Iterator[Finding]:
    """Airflow 3 without a JWT secret."""
    if not values.airflow3 or values.get("apiServer.enabled") is False:
        return
    if not values.on("jwtSecretName") and not values.on("jwtSecret"):
        yield Finding(
            (),
            "every sync restarts API server and scheduler, and running tasks lose their tokens"
            if values.chart.marked("jwt-checksum")
            else "pods that start after a sync sign with another secret than those that run: "
            "tokens of tasks are refused",
            "set {key:jwtSecretName} to a Secret with the key jwt-secret",
            requires="jwtSecretName",
        )


@check(
    "secrets/random-webserver-key",
    ERROR,
    "A webserver secret key that changes",
    why="It is generated at every render: the webserver and workers restart and sessions end.",
    source=_RANDOM,
)
def random_webserver_key(values: ValuesInput) -> Iterator[Finding]:
    """Airflow 2 without a webserver secret key."""
    if not values.airflow2:
        return
    if not values.on("webserverSecretKeySecretName") and not values.on("webserverSecretKey"):
        yield Finding(
            (),
            "every sync restarts webserver and workers and ends all sessions",
            "set {key:webserverSecretKeySecretName} to a Secret with the key webserver-secret-key",
        )


@check(
    "secrets/webserver-key-on-airflow-3",
    ERROR,
    "The webserver's key on Airflow 3",
    why="It leaves the API secret key random and silences the chart's warning about that.",
)
def webserver_key_on_airflow_3(values: ValuesInput) -> Iterator[Finding]:
    """`webserverSecretKey*` without `apiSecretKey*`."""
    if not values.airflow3 or values.on("apiSecretKeySecretName") or values.on("apiSecretKey"):
        return
    if not values.chart.marked("api-secret-key"):
        return
    for key, instead in (
        ("webserverSecretKeySecretName", "apiSecretKeySecretName"),
        ("webserverSecretKey", "apiSecretKeySecretName"),
    ):
        if values.on(key):
            yield Finding(
                key,
                "the API secret key stays random: Airflow 3 does not read this key",
                f"set {{key:{instead}}}",
            )


@check(
    "secrets/random-postgresql-password",
    ERROR,
    "A database password that changes",
    why="The PostgreSQL subchart generates the passwords that are left empty, at every render.",
    source=_RANDOM,
    also=((WARNING, "nobody logs in with that password (chart 1.8.0)"),),
)
def random_postgresql(values: ValuesInput) -> Iterator[Finding]:
    """Emptied or forgotten passwords of the bundled PostgreSQL."""
    auth = "postgresql.auth"
    if not values.on("postgresql.enabled") or values.on(f"{auth}.existingSecret"):
        return
    replicated = values.text("postgresql.architecture") == "replication"
    needed = {
        f"{auth}.postgresPassword": values.on(f"{auth}.enablePostgresUser"),
        f"{auth}.password": values.on(f"{auth}.username"),
        f"{auth}.replicationPassword": replicated,
    }
    for key, wanted in needed.items():
        if wanted and not values.on(key):
            yield Finding(
                key if values.given(key) else auth,
                f"the next sync locks Airflow out of its database: {key} is generated again",
                f"set {{key:{auth}.existingSecret}}",
            )
    # Chart 1.8.0: `username: null` is text for the subchart, which then makes that user a password.
    if values.table(auth).get("username", "") is None and not values.on(f"{auth}.password"):
        yield Finding(
            auth if values.given(auth) else (),
            f"the bundled PostgreSQL's Secret changes at every sync: {auth}.password is generated "
            "again",
            f'set {{key:{auth}.username}}: ""',
            WARNING,
        )


@check(
    "secrets/hook-objects",
    ERROR,
    "Extra Secrets and ConfigMaps as Helm hooks",
    why="They are pre-install hooks by default: Argo CD deletes and creates them at every sync, "
    "and never prunes or compares them.",
)
def hook_objects(values: ValuesInput) -> Iterator[Finding]:
    """`extraSecrets` and `extraConfigMaps` without `useHelmHooks: false`."""
    if values.engine == "helm":
        return
    for kind in ("extraSecrets", "extraConfigMaps"):
        for name in sorted(values.table(kind)):
            if values.get((kind, name, "useHelmHooks")) is not False:
                yield Finding(
                    (kind, name),
                    "it is deleted and created again at every sync, and pods keep the old content",
                    f"set {{key:{kind}.{name}.useHelmHooks}}: false",
                )


@check(
    "secrets/variable-switched-off",
    WARNING,
    "A built-in secret variable is off and nothing sets it",
    why="enableBuiltInSecretEnvVars.<NAME>: false is for the _CMD and _SECRET forms of a variable.",
)
def variable_off(values: ValuesInput) -> Iterator[Finding]:
    """A variable off without a replacement that can be seen."""
    if values.on("extraEnvFrom"):
        return
    for name in sorted(values.table("enableBuiltInSecretEnvVars")):
        optional = "ELASTICSEARCH" in name or "OPENSEARCH" in name or "RESULT_BACKEND" in name
        inert = ("WEBSERVER" in name and values.airflow3) or (
            "CELERY" in name and not values.celery
        )
        if optional or inert or name == "AIRFLOW_CONN_AIRFLOW_DB":
            continue
        if _built_in_off(values, name) and not values.sets_variable(name):
            yield Finding(
                ("enableBuiltInSecretEnvVars", name),
                f"Airflow falls back to its own default for {name}",
                f"set {name}_CMD or {name}_SECRET under env, or remove the switch",
            )


def _built_in_off(values: ValuesInput, name: str) -> bool:
    return values.get(("enableBuiltInSecretEnvVars", name)) is False
