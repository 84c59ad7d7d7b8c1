"""The pages for planned work and for the worst case, with the names of one environment.

Upgrade, rollback, restore, loss of the cluster, rotation of secrets.
"""

from __future__ import annotations

import importlib.resources
import string
from collections.abc import Iterator

from generator.model.stores import PostgreSQL
from generator.monitoring import rotation
from generator.monitoring.commands import (
    block,
    delete_job,
    hold,
    kubectl,
    let_go,
    run_now,
    scaled,
    text,
    workload,
)
from generator.monitoring.kept_alerts import longest_gap
from generator.release import backup_names
from generator.release.backup_names import BACKUP, DRILL, REHEARSAL
from generator.release.release import Release

_NAMES = ("upgrade", "rollback", "restore", "disaster", "secrets")
_HOUR = 3600
# They write nothing to the database, or are needed to reach it.
_STAY = ("pgbouncer", "redis", "statsd", "otel-collector")


def pages(release: Release) -> dict[str, str]:
    """The pages by file name; none where `runbooks` is not on."""
    environment = release.environment
    if not environment.runbooks:
        return {}
    folder = importlib.resources.files("generator.monitoring").joinpath("pages")
    values = {
        "environment": release.resolved.name,
        "release": environment.release,
        "cluster": environment.destination.cluster,
        "kubectl": kubectl(release),
        "server": workload(release, release.topology.server),
        "stop": "\n".join(_stop(release)),
        "resume": "".join(f"{let_go(kubectl(release), name)}\n" for name in scaled(release)),
        "secure": _secure(release),
        "propose": _propose(release),
        "deployed": _deployed(release),
        "kept": _kept(release),
        "outside": "\n".join(f"- {line}" for line in _outside(release)),
        "sealing": _sealing(release),
        "database": _database(release),
        "engine": _engine(release),
        "entrance": _entrance(release),
        "secrets": rotation.steps(release),
    }
    found = {name: folder.joinpath(f"{name}.md").read_text("utf-8") for name in _NAMES}
    return {f"{name}.md": string.Template(page).substitute(values) for name, page in found.items()}


def _stop(release: Release) -> Iterator[str]:
    yield from (hold(kubectl(release), name) for name in scaled(release))
    names = release.topology.names
    stay = {names.of_part(part) for part in (*_STAY, release.topology.server)} | {names.postgresql}
    for kind, name in release.line.workloads(release.topology):
        if name not in stay:
            yield f"{kubectl(release)} scale {kind.lower()}/{name} --replicas=0"


def _secure(release: Release) -> str:
    """A backup, and the rehearsal of the migration on it."""
    rehearse = f"gen-env rehearse {release.resolved.name} --airflow VERSION"
    if backup_names.own(release.environment) is None:
        if not isinstance(release.environment.database, PostgreSQL):
            return text(f"{_other_backup(release)} A rehearsal needs PostgreSQL.")
        return text(
            f"{_other_backup(release)} `DUMP` is a file of `pg_dump -Fc`:",
            block(f"{rehearse} --dump DUMP"),
        )
    own, job = kubectl(release), release.topology.names.of_part(REHEARSAL)
    return text(
        block(
            *run_now(release, BACKUP, "backup-before-upgrade"),
            f"{rehearse} --job --image IMAGE > rehearsal-job.yaml",
            delete_job(release, job),
            f"{own} apply -f rehearsal-job.yaml",
            f"{own} wait --for=condition=complete --timeout=6h job/{job}",
            f"{own} logs job/{job} -c airflow > printed.json",
            f"{rehearse} --result printed.json",
        ),
        "Commit `rehearsal.json` with the change of the next step.",
    )


def _other_backup(release: Release) -> str:
    given = release.environment.backup
    if given is not None and given.external:
        return f"What makes the backups: {given.external}. Check that there is a new one."
    return "The definition names no backup: dump the database by hand first."


def _propose(release: Release) -> str:
    name, promotion = release.resolved.name, release.resolved.settings.repository.promotion
    paths = [path for path in promotion.paths.values() if name in path[1:]]
    if before := sorted({path[path.index(name) - 1] for path in paths}):
        lines = (f"gen-env promote {source} {name}" for source in before)
        return text(
            f"Versions come here by promotion, verified in {' or '.join(before)}:",
            block(*(f"{line}{option}" for line in lines for option in (" --dry-run", " --pr"))),
        )
    upgrade = f"gen-env upgrade {name} --airflow VERSION"
    return text(
        block(upgrade, f"gen-env validate {name}", "gen-env diff"),
        "Commit what has changed on a branch, and open its pull request.",
    )


def _deployed(release: Release) -> str:
    repository = release.resolved.settings.repository
    if release.environment.engine == "flux":
        return f"kubectl --namespace {repository.flux.namespace} get kustomizations,helmreleases"
    return (
        f"kubectl --namespace {repository.argocd.namespace} get application {release.application}"
    )


def _kept(release: Release) -> str:
    own, name = backup_names.own(release.environment), release.resolved.name
    if own is None or own.storage is None:
        return text(f"{_other_backup(release)} gen-env has no steps for it.")
    s3, volume = own.storage.s3, own.storage.volume
    place = f"bucket `{s3.bucket}`" if s3 else f"claim `{volume.claim}`" if volume else ""
    hours = round(longest_gap(own.schedule) / _HOUR)
    jobs = (BACKUP, DRILL) if own.drill else (BACKUP,)
    crons = " ".join(release.topology.names.of_part(part) for part in jobs)
    return text(
        f"Backups are in the {place}, one per run of `{own.schedule}` ({own.time_zone}): what"
        f" happened in up to {hours} hours is lost. Only what has a `.json` beside it is complete;"
        " a `.proven.json` beside it says that a drill has restored it.",
        "`TIME` is the last moment that is wanted, such as 2026-01-02T03:04:05Z; without `--at` the"
        " newest backup is restored.",
        block(
            f"{kubectl(release)} get cronjobs {crons}", f"gen-env restore {name} --at TIME"
        ),
        f"This writes `restore/{name}/README.md`, the page of this restore: stop, restore beside"
        " the present database, migrate, one pod, all. gen-env applies nothing.",
    )  # fmt: skip


def _outside(release: Release) -> Iterator[str]:
    """What must survive the cluster."""
    environment, providers = release.environment, {need.provider for need in release.needs}
    yield "this repository"
    if "sealed-secrets" in providers:
        yield (
            "the private keys of the sealed-secrets controller: without them the Fernet key in"
            " this repository cannot be opened, and no stored connection can be read"
        )
    for provider in sorted(providers - {"sealed-secrets"}):
        yield f"the values that {provider} brings, the Fernet key above all"
    if backup_names.own(environment) is not None:
        yield "a private key of age that opens the backups, and credentials of their storage"
    elif environment.backup is not None and environment.backup.external:
        yield f"backups of the database: {environment.backup.external}"
    if not environment.database.host:
        yield "a backup of the database: its volume is in the cluster"


def _sealing(release: Release) -> str:
    if not release.sealed:
        return text("No Secret is sealed in git: connect the new cluster to what brings them.")
    name, found = release.resolved.name, release.resolved.cluster.sealing
    own = f"kubectl --namespace {found.namespace}"
    keys = "secret --selector sealedsecrets.bitnami.com/sealed-secrets-key"
    return text(
        "Before the loss, and again after each renewal (every 30 days), to a place outside of the"
        " cluster and of git:",
        block(f"{own} get {keys} --output yaml > sealing-keys.yaml"),
        "In the new cluster:",
        block(
            f"{own} apply -f sealing-keys.yaml",
            f"{own} rollout restart deployment {found.controller_name}",
        ),
        "If they are lost, no sealed value can be opened: seal each again with the new"
        " certificate. The Fernet key must be the old one, kept in another place; with a new one"
        " every stored connection and variable has to be entered again.",
        block(f"gen-env seal {name} --fetch-cert", f"gen-env secrets {name}"),
    )


def _database(release: Release) -> str:
    host, name = release.environment.database.host, release.resolved.name
    return text(
        f"{f'The server is `{host}`' if host else 'The server was in the cluster'}. If its data is"
        " there, go on with the next step. If not, pause the syncs in git before anything applies"
        " the environment, so that no scheduler runs on an empty database. When its Secrets are"
        " there (step 4), follow [restore.md](restore.md), then end the pause.",
        block(f"gen-env pause {name} --pr", f"gen-env pause {name} --resume --pr"),
    )


def _engine(release: Release) -> str:
    name, repository = release.resolved.name, release.resolved.settings.repository
    apply = f"kubectl apply -f {repository.repository.prefix}bootstrap"
    first = "Install Argo CD, with access to this repository and to the new cluster."
    lines: tuple[str, ...] = (f"{apply}/root.yaml",)
    if release.environment.engine == "flux":
        cluster = release.environment.destination.cluster
        first = "Install Flux, with access to this repository."
        lines = (f"{apply}/flux/{cluster}.yaml",)
        if repository.flux.root != "own":
            first, lines = "Run `flux bootstrap` as before, with the same `--path`.", ()
    elif repository.argocd.root.type == "none":
        first, lines = "Have the Application applied again by what applied it before.", ()
    return text(first, block(*lines, f"{apply}/access/{name}.yaml", _deployed(release)))


def _entrance(release: Release) -> str:
    ways = release.environment.entrances
    if not ways:
        return text("The environment has no entrance from outside.")
    hosts = ", ".join(f"`{host}`" for way in ways for host in way.hosts)
    kinds = ",".join(way.kind.lower() for way in ways)
    return text(
        f"Point {hosts} to the address of the new entrance:",
        block(f"{kubectl(release)} get {kinds} --output wide"),
    )
