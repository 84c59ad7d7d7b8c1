"""Checks of the migration and create-user Jobs under Argo CD and Flux."""

from __future__ import annotations

from collections.abc import Iterator

from generator.helmvalues.values import ValuesInput
from generator.lint.rule import ERROR, INFO, WARNING, Finding, check

HOOK = "argocd.argoproj.io/hook"
POLICY = "argocd.argoproj.io/hook-delete-policy"
_JOBS = ("migrateDatabaseJob", "createUserJob")
_FAB = "fab_auth_manager.FabAuthManager"
_DATABASE = ("data.metadataSecretName", "data.metadataConnection.host")
# Variables that the Jobs need, each with the values that the chart's own one is made from.
_NEEDED = {
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": _DATABASE,
    "AIRFLOW__CORE__FERNET_KEY": ("fernetKeySecretName", "fernetKey"),
    "AIRFLOW_CONN_AIRFLOW_DB": _DATABASE,
}


def runs(values: ValuesInput, job: str) -> bool:
    """Whether that Job is rendered; charts before 1.19 have only the older switch of the user's.

    Chart 1.19.0 makes the user by either switch, later ones by the older one where it is given.
    """
    if job != "createUserJob":
        return values.on(f"{job}.enabled")
    older = values.on("webserver.defaultUser.enabled")
    if values.chart.marked("two-user-switches"):
        return older or values.on("createUserJob.enabled")
    if values.table("webserver.defaultUser") or not values.chart.has("createUserJob.enabled"):
        return older
    return values.on("createUserJob.enabled")


def _phase(values: ValuesInput, job: str) -> str:
    return str(values.table(f"{job}.jobAnnotations").get(HOOK) or "")


@check(
    "jobs/helm-hooks",
    ERROR,
    "A Job as Helm hook",
    why="post-install becomes PostSync, which waits for healthy pods, while the pods wait for the "
    "migration: neither ever comes. Flux waits the same way.",
    source="apache/airflow#18172, fluxcd/flux2 discussion 1085",
    also=((WARNING, "the Job only makes the user"),),
)
def helm_hooks(values: ValuesInput) -> Iterator[Finding]:
    """`useHelmHooks` left on, without an Argo CD hook that overrides it."""
    if values.engine == "helm":
        return
    for job in _JOBS:
        if not runs(values, job) or not values.on(f"{job}.useHelmHooks"):
            continue
        if values.engine == "argocd" and _phase(values, job):
            continue
        migrate = job == "migrateDatabaseJob"
        phase = "Sync" if migrate else "PostSync"
        yield Finding(
            f"{job}.useHelmHooks" if values.given(f"{job}.useHelmHooks") else job,
            "the first sync never ends: pods wait for the migration, which waits for the pods"
            if migrate
            else "the user is created only after everything is healthy, again at every sync",
            f"set {{key:{job}.useHelmHooks}}: false"
            + (f" and jobAnnotations {{{HOOK}: {phase}}}" if values.engine == "argocd" else ""),
            None if migrate else WARNING,
        )


@check(
    "jobs/two-hooks",
    WARNING,
    "Helm and Argo CD hooks on one Job",
    why="Argo CD then ignores the Helm hook; the next reader, and helm itself, do not.",
)
def two_hooks(values: ValuesInput) -> Iterator[Finding]:
    """An Argo CD annotation while `useHelmHooks` is on."""
    for job in _JOBS:
        if (
            values.engine == "argocd"
            and runs(values, job)
            and values.on(f"{job}.useHelmHooks")
            and _phase(values, job)
        ):
            yield Finding(
                (job, "jobAnnotations", HOOK),
                "the Job carries two contradicting sets of hook annotations",
                f"set {{key:{job}.useHelmHooks}}: false",
            )


@check(
    "jobs/immutable",
    ERROR,
    "A plain Job under Argo CD",
    why="A Job's template cannot be changed: the next image or variable fails the sync.",
    source="apache/airflow#21615, #11979",
)
def immutable(values: ValuesInput) -> Iterator[Finding]:
    """Neither kind of hook."""
    for job in _JOBS:
        plain = not values.on(f"{job}.useHelmHooks") and not _phase(values, job)
        if values.engine == "argocd" and runs(values, job) and plain:
            phase = "Sync" if job == "migrateDatabaseJob" else "PostSync"
            yield Finding(
                f"{job}.jobAnnotations" if values.given(f"{job}.jobAnnotations") else job,
                "the next change of image or environment fails to sync: a Job is immutable",
                f"set {{key:{job}.jobAnnotations}}: "
                f"{{{HOOK}: {phase}, {POLICY}: BeforeHookCreation}}",
            )


@check(
    "jobs/pre-sync-migration",
    ERROR,
    "Migration before the sync",
    why="Its ServiceAccount, ConfigMap and Secrets are objects of the Sync phase, so that on a "
    "first install it cannot start.",
)
def pre_sync(values: ValuesInput) -> Iterator[Finding]:
    """A PreSync hook on either Job."""
    for job in _JOBS:
        if values.engine == "argocd" and runs(values, job) and "PreSync" in _phase(values, job):
            yield Finding(
                (job, "jobAnnotations", HOOK),
                "the first install hangs: the Job needs objects that are synced after it",
                f"set {HOOK}: " + ("Sync" if job == "migrateDatabaseJob" else "PostSync"),
            )


@check(
    "jobs/create-user-early",
    WARNING,
    "The user is created before the migration has ended",
    why="create-user needs a migrated database; in the Sync phase both Jobs start together.",
)
def create_user_early(values: ValuesInput) -> Iterator[Finding]:
    """`createUserJob` as a Sync hook."""
    job = "createUserJob"
    if values.engine == "argocd" and runs(values, job) and _phase(values, job) == "Sync":
        yield Finding(
            (job, "jobAnnotations", HOOK),
            "the Job fails until the migration has ended, and the sync with it",
            f"set {HOOK}: PostSync",
        )


@check(
    "jobs/ttl",
    WARNING,
    "A hook Job that deletes itself",
    why="After ttlSecondsAfterFinished Kubernetes removes the Job: Argo CD may not have seen it "
    "finish, and a plain Job is OutOfSync from then on.",
    source="argoproj/argo-cd#21055, #18884",
)
def ttl(values: ValuesInput) -> Iterator[Finding]:
    """A time to live under Argo CD."""
    for job in _JOBS:
        key = f"{job}.ttlSecondsAfterFinished"
        hooked = _phase(values, job) or not values.on(f"{job}.useHelmHooks")
        lives_on = values.get(key) is None
        if values.engine == "argocd" and runs(values, job) and hooked and not lives_on:
            yield Finding(
                key if values.given(key) else job,
                "a sync may hang for ever: the Job can disappear before Argo CD saw it finish",
                f"set {{key:{key}}}: null in a values file",
            )


@check(
    "jobs/flux-needs-ttl",
    WARNING,
    "A plain Job that stays, under Flux",
    why="While the finished Job exists, an upgrade that changes it fails: a Job is immutable.",
)
def flux_ttl(values: ValuesInput) -> Iterator[Finding]:
    """No time to live under Flux."""
    for job in _JOBS:
        key = f"{job}.ttlSecondsAfterFinished"
        plain = not values.on(f"{job}.useHelmHooks")
        if values.engine == "flux" and runs(values, job) and plain and values.get(key) is None:
            yield Finding(
                key,
                "the next upgrade fails while the finished Job is still there",
                f"set {{key:{key}}}: 300",
            )


@check(
    "jobs/default-user",
    ERROR,
    "The user admin with the password admin",
    why="createUserJob creates it by default, and its arguments hold the password in plain text.",
    tiers=(("development", None),),
)
def default_user(values: ValuesInput) -> Iterator[Finding]:
    """The chart's default user and password."""
    for key in ("createUserJob.defaultUser", "webserver.defaultUser"):
        if not runs(values, "createUserJob") or not uses_default_user(values):
            continue
        if values.get(f"{key}.password") == "admin":
            own = values.given(key)
            yield Finding(
                f"{key}.password" if own else "createUserJob",
                "anyone who finds the UI is administrator: the password is the default one",
                (
                    f"{_switch_off(values)} with single sign-on, or set {{key:createUserJob.args}} "
                    "and {key:createUserJob.env} so that the password comes from a Secret",
                    f"{_switch_off(values)}, and make the user yourself",
                ),
            )


def _switch_off(values: ValuesInput) -> str:
    """How the chart makes no user: where it knows two switches, a written older one counts too."""
    older = "webserver.defaultUser.enabled"
    both = values.given(older) and values.on(older) and values.spelled(_SWITCH) == _SWITCH
    return (f"remove {older}, and " if both else "") + f"set {{key:{_SWITCH}}}: false"


_SWITCH = "createUserJob.enabled"


def uses_default_user(values: ValuesInput) -> bool:
    """Whether the Job's arguments still read `defaultUser`."""
    return "defaultUser" in str(values.get("createUserJob.args"))


@check(
    "jobs/create-user-without-fab",
    ERROR,
    "create-user without the FAB auth manager",
    why="`airflow users` is a command of the FAB provider.",
)
def without_fab(values: ValuesInput) -> Iterator[Finding]:
    """Another auth manager with the Job left on."""
    manager = values.text("config.core.auth_manager")
    if values.airflow3 and runs(values, "createUserJob") and manager and _FAB not in manager:
        yield Finding(
            "createUserJob.enabled"
            if values.given("createUserJob")
            else "config.core.auth_manager",
            "the create-user Job fails at every sync: this auth manager has no such command",
            _switch_off(values),
        )


@check(
    "jobs/user-switch-not-read",
    ERROR,
    "The user is made although it is switched off",
    why="Chart 1.19.0 makes the user where webserver.defaultUser.enabled or createUserJob.enabled "
    "is true, and the second is by default.",
    source="chart 1.19.0, templates/jobs/create-user-job.yaml; apache/airflow#62143",
)
def user_switch_not_read(values: ValuesInput) -> Iterator[Finding]:
    """Only the older switch is off, in a chart that then looks at the other."""
    older = "webserver.defaultUser.enabled"
    off = values.given("webserver.defaultUser") and values.get(older) is False
    if off and values.chart.marked("two-user-switches") and runs(values, "createUserJob"):
        yield Finding(
            older,
            f"the create-user Job runs all the same: {older} alone does not switch it off",
            "set {key:createUserJob.enabled}: false",
        )


@check(
    "jobs/custom-environment",
    ERROR,
    "A Job without the database's variable",
    why="applyCustomEnv: false takes env, secret, extraEnv and extraEnvFrom away; the cleanup "
    "CronJob never gets them.",
)
def custom_environment(values: ValuesInput) -> Iterator[Finding]:
    """Connection or keys by variable, in a Job that gets none."""
    jobs = [job for job in _JOBS if runs(values, job)]
    jobs += ["databaseCleanup"] if values.on("databaseCleanup.enabled") else []
    for job in jobs:
        needed = _lacking(values, job)
        if needed and values.get(f"{job}.applyCustomEnv") is False:
            yield Finding(
                f"{job}.applyCustomEnv",
                f"the Job fails: it does not get {needed[0]}",
                f"set {{key:{job}.applyCustomEnv}}: true, or give the value by Secret name",
            )
    needed = _lacking(values, "cleanup")
    if needed and values.on("cleanup.enabled") and values.kubernetes:
        yield Finding(
            "cleanup.enabled",
            f"the cleanup of pods fails: its CronJob does not get {needed[0]}",
            (
                "give the value by its *SecretName key, or set {key:cleanup.env}",
                "give the value by its *SecretName key",
            ),
        )


def _lacking(values: ValuesInput, job: str) -> list[str]:
    """Variables that all others get by hand, and that Job neither by its own `env` nor built in."""
    own = {str(row.get("name")) for row in values.rows(f"{job}.env")}
    return [
        name
        for name, sources in _NEEDED.items()
        if values.sets_variable(name)
        and own.isdisjoint({name, f"{name}_CMD", f"{name}_SECRET"})
        and not (
            values.get(("enableBuiltInSecretEnvVars", name)) is not False
            and any(values.on(source) for source in sources)
        )
    ]


@check(
    "jobs/migrations-wait",
    INFO,
    "Pods give up waiting after a minute",
    why="images.migrationsWaitTimeout is 60 s; a first install or a large upgrade takes longer, "
    "and pods crash until it has ended.",
)
def migrations_wait(values: ValuesInput) -> Iterator[Finding]:
    """The default time-out."""
    seconds = values.number("images.migrationsWaitTimeout")
    if seconds is not None and seconds <= 60 and runs(values, "migrateDatabaseJob"):
        yield Finding(
            "images.migrationsWaitTimeout" if values.given("images.migrationsWaitTimeout") else (),
            "pods restart in a loop while a longer migration runs",
            "set {key:images.migrationsWaitTimeout}: 600",
        )


@check(
    "jobs/nobody-migrates",
    WARNING,
    "The database is not migrated",
    why="Every pod waits for migrations that the chart's Job would have run.",
)
def nobody_migrates(values: ValuesInput) -> Iterator[Finding]:
    """`migrateDatabaseJob.enabled: false` with the waiting left on."""
    waits = values.get("scheduler.waitForMigrations.enabled") is not False
    if values.get("migrateDatabaseJob.enabled") is False and waits:
        yield Finding(
            "migrateDatabaseJob.enabled",
            "after an upgrade no pod starts until `airflow db migrate` is run",
            "set {key:migrateDatabaseJob.enabled}: true",
            requires="migrateDatabaseJob.enabled",
        )
