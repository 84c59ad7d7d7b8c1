"""`gen-env seal` as steps: find the values, seal them, regenerate what follows from that."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from generator.core.errors import UserError
from generator.core.files import Files, Overlay, WorkTree
from generator.core.problem import Severity
from generator.manifests import sealed_secrets
from generator.model.repository import CONTROLLER
from generator.pipeline import generate
from generator.pipeline.generate import Built, Charts
from generator.redaction.secret import Secret
from generator.release.git_connection import KNOWN_HOSTS, mounts_known_hosts
from generator.release.release import Release
from generator.release.secret import SecretNeed, Source
from generator.seal import (
    certificate,
    certificate_source,
    derived_values,
    fernet,
    git_connection,
    random_values,
    sealed_secret,
    sealing,
    sources,
)
from generator.seal.certificate import SealingCertificate
from generator.seal.sealed_secret import State
from generator.tree import catalogue, tree
from generator.tree.objects import SecretFile
from generator.tree.plan import Plan

Ask = Callable[[str], Secret]
"""Asks for one secret value by its key."""


@dataclasses.dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for on the command line; values given there are secrets already."""

    environment: str
    secret: str | None
    given: Mapping[str, Secret]
    generate: bool
    user: str | None
    certificate: str | None
    rotate: bool = False
    reencrypted: bool = False
    folder: Path = Path()
    """Where a relative path to the certificate starts from."""
    ca: Path | None = None
    """What to trust for the certificate's URL."""
    ssh_key: Secret | None = None
    """A private key, for git."""
    replace: bool = False
    """Random values take the place of sealed ones."""


@dataclasses.dataclass(frozen=True)
class Sealed:
    """What was sealed: the plan, Secret → keys, and what a person does next."""

    plan: Plan
    keys: Mapping[str, tuple[str, ...]]
    certificate: SealingCertificate | None
    next: str = ""


@dataclasses.dataclass(frozen=True)
class Fetched:
    """A certificate to be written, and the fingerprint of the one that stood there."""

    plan: Plan
    certificate: SealingCertificate
    before: str | None


def prepare(
    root: Path, options: Options, charts: Charts, ask: Ask, now: datetime.datetime
) -> Sealed:
    """Seal and regenerate; nothing is written yet, and no plaintext ever is.

    Raises UserError for an unknown secret or key, a missing or expired certificate, a value that
    may not be replaced.
    """
    files = WorkTree(root)
    built = _built(files, options.environment, charts)
    release = built.release
    assert release is not None
    if options.rotate:
        return _rotated(root, files, built, options, charts, ask, now)
    values = _values(built, release, options, ask)
    if not values:
        return Sealed(Plan({}), {}, None)
    key = _certificate(root, release, options)
    writes = {}
    for name, chosen in values.items():
        path, text = _sealed_file(
            built, release, name, chosen, key, now, generated=options.generate
        )
        writes[path] = text
    plan = _with_tree(files, options.environment, writes, charts)
    sealed = {name: tuple(sorted(chosen)) for name, chosen in sorted(values.items())}
    return Sealed(plan, sealed, key)


def _rotated(
    root: Path,
    files: Files,
    built: Built,
    options: Options,
    charts: Charts,
    ask: Ask,
    now: datetime.datetime,
) -> Sealed:
    """One step of the rotation of the Fernet key: new,old → re-encrypt → new."""
    release = built.release
    assert release is not None
    need = next(
        (item for item in release.sealed if random_values.FERNET_KEY in item.key_names), None
    )
    if need is None:
        raise UserError(f"the Fernet key of {options.environment} is not sealed in git")
    manifest = _manifest(built, release, need)
    stage = fernet.stage(manifest)
    key = None
    if stage is fernet.Stage.BOTH:
        rotated = fernet.finish(manifest, reencrypted=options.reencrypted)
    elif stage is fernet.Stage.UNSEALED:
        raise UserError(
            "no Fernet key is sealed yet",
            hint=f"gen-env seal {options.environment} {need.name} --generate",
        )
    else:
        key = _certificate(root, release, options)
        rotated = fernet.start(manifest, ask("the Fernet key in use"), key, now=now)
    file = _file(built, need.name)
    assert file is not None
    writes = {file.path: tree.stub_text(release, need.name, rotated)}
    scheduler = f"deploy/{release.topology.names.of_part('scheduler')}"
    text = fernet.instructions(
        fernet.stage(rotated), namespace=release.environment.namespace, workload=scheduler
    )
    plan = _with_tree(files, options.environment, writes, charts)
    return Sealed(plan, {need.name: (random_values.FERNET_KEY,)}, key, text)


def _built(files: Files, name: str, charts: Charts) -> Built:
    found = catalogue.load(files)
    (item,) = found.chosen([name]) or (None,)
    problems = found.problems
    if item is not None and found.settings is not None:
        built = generate.build(files, found.settings, item, charts)
        if built.release is not None:
            if not built.release.sealed:
                brought = ", ".join(sorted({need.provider for need in built.release.needs}))
                raise UserError(f"the secrets of {name} come from {brought}, not from git")
            return built
        problems = built.problems
    first = problems[0]
    raise UserError.of(first)


def _certificate(root: Path, release: Release, options: Options) -> SealingCertificate:
    name, cluster = release.environment.destination.cluster, release.resolved.cluster
    if options.certificate is None:
        return certificate_source.configured(name, cluster, root)
    return certificate_source.given(
        options.certificate, name, cluster, root=root, folder=options.folder, ca=options.ca
    )


def fetch(root: Path, environment: str, charts: Charts, now: datetime.datetime) -> Fetched:
    """The certificate of the environment's controller, on its way into the repository.

    Raises UserError where gen-env.yaml names no file for it, and where it cannot be fetched.
    """
    release = _built(WorkTree(root), environment, charts).release
    assert release is not None
    name, cluster = release.environment.destination.cluster, release.resolved.cluster
    path = cluster.sealing.certificate
    if path is None or path == CONTROLLER or "://" in path:
        raise UserError(
            f"clusters.{name}.sealing.certificate does not name a file to write to",
            path="gen-env.yaml",
            hint=f"certificate: certs/{name}.pem",
        )
    pem = certificate_source.ask(name, cluster)
    fetched = certificate.parse(pem, f"cluster {name}")
    fetched.require_valid(now)
    before = None
    with contextlib.suppress(UserError):
        before = certificate.load(path, root).fingerprint
    text = pem.decode("ascii", "replace").replace("\r\n", "\n").strip() + "\n"
    return Fetched(Plan({path: text}), fetched, before)


def _values(
    built: Built, release: Release, options: Options, ask: Ask
) -> dict[str, dict[str, Secret]]:
    needs = {need.name: need for need in release.sealed}
    if options.secret is not None and options.secret not in needs:
        provider = release.environment.provider_of(options.secret)
        raise UserError(
            f"{options.environment} does not need Secret '{options.secret}'"
            if options.secret not in {need.name for need in release.needs}
            else f"Secret '{options.secret}' comes from {provider}, not from git",
            hint=f"sealed are: {', '.join(needs)}",
        )
    if options.secret is None:
        return _everything(built, release, needs, options, ask)
    need = needs[options.secret]
    unknown = sorted(set(options.given) - set(need.key_names))
    if unknown:
        raise UserError(
            f"{need.name} has no key {', '.join(unknown)}",
            hint=f"its keys: {', '.join(need.key_names)}",
        )
    found = dict(options.given)
    if options.replace:
        values = {need.name: found | _replaced(release, need, found)}
        _follow(built, release, needs, values)
        return values
    if options.generate:
        open_keys = [key for key in _open(built, need) if key not in found]
        if not open_keys and not found:
            fernet.require_replaceable(
                _manifest(built, release, need), need.key_names, generated=True
            )
        found |= random_values.generate(open_keys)
    elif options.ssh_key is not None:
        found |= _from_key(release, need, options.ssh_key)
    elif options.user is not None:
        missing = frozenset(need.key_names) - frozenset(found)
        found |= _from_user(release, need, options.user, ask, missing)
    elif not found:
        found |= {key: ask(key) for key in _open(built, need) or need.key_names}
    return {need.name: found} if found else {}


def _replaced(release: Release, need: SecretNeed, given: Mapping[str, Secret]) -> dict[str, Secret]:
    """Fresh random values for all keys that were not given; raises UserError where no running pod
    would take them over."""
    fresh = random_values.generate(key for key in need.key_names if key not in given)
    if not need.restarts or (release.topology.has("postgresql") and "postgresql" in need.restarts):
        raise UserError(
            f"a new value of {need.name} would not be taken over: it is read once, when its owner"
            " is created",
            hint="change it there (the user in Airflow, the role in PostgreSQL), then seal it",
        )
    return fresh


def _from_user(
    release: Release, need: SecretNeed, user: str, ask: Ask, missing: frozenset[str]
) -> dict[str, Secret]:
    if any(key.source in derived_values.DATABASE_SOURCES for key in need.keys):
        password = ask(f"password of {user}")
        return derived_values.database_values(release, {need.name: need}, user, password)[need.name]
    if (urls := _of_source(need, "broker-uri")) and not release.topology.has("redis"):
        return _broker(release, need, urls, user, ask, missing)
    if "GITSYNC_USERNAME" in need.key_names:
        return sources.git_sync_credentials(user, ask(f"token of {user}"))
    if names := _of_source(need, "git-connection"):
        return dict.fromkeys(names, git_connection.with_token(user, ask(f"token of {user}")))
    raise UserError(
        f"--user does not apply to {need.name}",
        hint="it is for the database's connections, a broker outside and git over https",
    )


def _broker(
    release: Release,
    need: SecretNeed,
    urls: list[str],
    user: str,
    ask: Ask,
    missing: frozenset[str],
) -> dict[str, Secret]:
    """The URL of a broker outside, and the Sentinels' password unless it was given."""
    url = derived_values.broker_url(release, ask(f"password of {user}"), user)
    found = dict.fromkeys(urls, url)
    for key in missing.intersection(_of_source(need, "sentinel-kwargs")):
        found[key] = derived_values.sentinel_kwargs(release, ask("password of the Sentinels"))
    return found


def _from_key(release: Release, need: SecretNeed, key: Secret) -> dict[str, Secret]:
    if names := _of_source(need, "ssh-key"):
        return dict.fromkeys(names, git_connection.private(key))
    if names := _of_source(need, "git-connection"):
        hosts = KNOWN_HOSTS if mounts_known_hosts(release.values) else None
        return dict.fromkeys(names, git_connection.with_key(key, hosts))
    raise UserError(f"--ssh-key does not apply to {need.name}", hint="it is for git over ssh")


def _of_source(need: SecretNeed, source: Source) -> list[str]:
    return [key.name for key in need.keys if key.source == source]


def _everything(
    built: Built, release: Release, needs: Mapping[str, SecretNeed], options: Options, ask: Ask
) -> dict[str, dict[str, Secret]]:
    """All Secrets at once: what can be generated, and what follows from one password."""
    if options.given:
        raise UserError("name the Secret for these values", hint=f"one of {', '.join(needs)}")
    if options.ssh_key is not None:
        raise UserError("name the Secret for this key", hint=f"one of {', '.join(needs)}")
    if not options.generate and options.user is None:
        raise UserError(
            "give a Secret, or --generate, or --user for the database's connections",
            hint=f"gen-env secrets {options.environment} lists them",
        )
    found: dict[str, dict[str, Secret]] = {}
    if options.generate:
        for need in needs.values():
            keys = [key for key in _open(built, need) if random_values.can_generate(key)]
            if keys:
                found[need.name] = random_values.generate(keys)
        _follow(built, release, needs, found)
    if options.user is not None:
        password = ask(f"password of {options.user}")
        for name, values in derived_values.database_values(
            release, needs, options.user, password
        ).items():
            found.setdefault(name, {}).update(values)
    return found


def _follow(
    built: Built,
    release: Release,
    needs: Mapping[str, SecretNeed],
    found: dict[str, dict[str, Secret]],
) -> None:
    """URIs that hold a password which was generated just now; it is never seen again."""
    for need in needs.values():
        for key in need.keys:
            if key.source == "broker-uri" and release.topology.has("redis"):
                password = _generated(release, needs, found, "redis")
                if password is not None:
                    url = derived_values.broker_url(release, password)
                    found.setdefault(need.name, {})[key.name] = url
    if release.environment.database.embedded:
        password = _generated(release, needs, found, "postgresql")
        if password is not None:
            derived = derived_values.database_values(release, needs, "postgres", password)
            for name, values in derived.items():
                found.setdefault(name, {}).update(values)


def _generated(
    release: Release,
    needs: Mapping[str, SecretNeed],
    found: Mapping[str, Mapping[str, Secret]],
    component: str,
) -> Secret | None:
    """The password that was just made for the chart's own Redis or PostgreSQL."""
    for name, values in found.items():
        if component in needs[name].restarts and len(needs[name].restarts) == 1:
            return next(iter(values.values()), None)
    return None


def _file(built: Built, name: str) -> SecretFile | None:
    return next((file for file in built.secrets if file.name == name), None)


def _manifest(built: Built, release: Release, need: SecretNeed) -> Mapping[str, Any]:
    file = _file(built, need.name)
    return file.manifest if file else sealed_secrets.stub(release, need)


def _open(built: Built, need: SecretNeed) -> list[str]:
    """Keys that hold no ciphertext yet."""
    file = _file(built, need.name)
    if file is None:
        return list(need.key_names)
    states = sealed_secret.state(file.manifest, need.key_names)
    return [key for key in need.key_names if states[key] is not State.SEALED]


def _sealed_file(
    built: Built,
    release: Release,
    name: str,
    values: Mapping[str, Secret],
    key: SealingCertificate,
    now: datetime.datetime,
    *,
    generated: bool,
) -> tuple[str, str]:
    need = next(item for item in release.needs if item.name == name)
    manifest = _manifest(built, release, need)
    fernet.require_replaceable(manifest, values, generated=generated)
    sealed = sealing.seal(manifest, values, key, now=now)
    if generated and random_values.FERNET_KEY in values:
        sealed = fernet.record(sealed, values[random_values.FERNET_KEY])
    file = _file(built, name)
    folder = release.resolved.definition.folder
    path = file.path if file else f"{folder}/secrets/{name}.yaml"
    return path, tree.stub_text(release, name, sealed)


def _with_tree(files: Files, environment: str, writes: Mapping[str, str], charts: Charts) -> Plan:
    """The sealed files and what `generate` makes of them: hashes in annotations, sync.

    Raises UserError where `generate` would write nothing (a tree of a newer gen-env, say).
    """
    ahead = Overlay(files, {path: text.encode() for path, text in writes.items()}, frozenset())
    generation = generate.generate(ahead, [environment], charts)
    for problem in generation.problems:
        if problem.severity is Severity.ERROR and problem.environment in ("", environment):
            raise UserError.of(
                problem, "nothing was sealed, because the tree cannot be generated: "
            )
    return Plan(writes) | generation.plan_of(environment)
