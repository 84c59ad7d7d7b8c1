"""How each secret of an environment is rotated."""

from __future__ import annotations

from generator.monitoring.commands import block, kubectl, text, workload
from generator.release.release import Release
from generator.release.secret import SecretNeed
from generator.seal.derived_values import DATABASE_SOURCES

_OPTIONS = {
    "broker-uri": " --user default",
    "git-connection": " --ssh-key FILE",
    "ssh-key": " --ssh-key FILE",
}


def steps(release: Release) -> str:
    """A section of Markdown for each secret; those of one password share theirs."""
    found: dict[str, str] = {}
    for need in release.needs:
        title, content = _section(release, need)
        found.setdefault(title, content)
    return "\n\n".join(f"## {title}\n\n{content}" for title, content in found.items())


def _section(release: Release, need: SecretNeed) -> tuple[str, str]:
    sources = {key.source for key in need.keys}
    title = f"{need.name} ({need.why})"
    seal = f"gen-env seal {release.resolved.name} {need.name}"
    embedded, of_database = release.environment.database.embedded, sources <= DATABASE_SOURCES
    if need.provider != "sealed-secrets":
        words = f"It comes from {need.provider}: change it there, then restart what reads it."
        return title, text(words)
    if "fernet" in sources:
        return title, _fernet(release)
    if of_database and not embedded:
        return "The password of the database", _password(release)
    if sources == {"broker-uri"} and release.topology.has("redis"):
        return title, text("It holds the password of Redis, and is sealed with it.")
    if of_database or "postgresql" in need.restarts:
        words = (
            "The bundled PostgreSQL takes its password when its volume is made: change it in the"
            " server (`ALTER ROLE`), then seal it."
        )
        return title, text(words, block(seal))
    if sources == {"random"} and need.restarts:
        words = (
            "Redis, the scheduler and the workers restart."
            if "redis" in need.restarts
            else "Sessions and tokens that were made with the old value end."
        )
        return title, text(words, block(f"{seal} --generate --replace"))
    jobs = release.topology.backup
    if jobs is not None and need.name == jobs.identity:
        return title, text(
            "Make a new identity (`age-keygen -o FILE`), and write its public key into"
            " `backup.encryption.recipients` in place of the old one. Keep the old private key for"
            " as long as backups that were made for it; until the next backup drills fail.",
            block(f"{seal} --from-file identity=FILE"),
        )
    option = next((_OPTIONS[source] for source in sorted(sources) if source in _OPTIONS), "")
    return title, text(
        "Make the new value where it is checked; then seal it.", block(f"{seal}{option}")
    )


def _fernet(release: Release) -> str:
    rotate = f"gen-env seal {release.resolved.name} --rotate-fernet"
    run = f"{kubectl(release)} exec {workload(release, 'scheduler')} --"
    return text(
        "Two keys are valid meanwhile: the first step seals the new key in front of the old one."
        " Merge it and wait for all pods; re-encrypt; then drop the old key, and merge that. Keep"
        " the old key for as long as you keep backups that were made with it.",
        block(rotate, f"{run} airflow rotate-fernet-key", f"{rotate} --reencrypted"),
    )


def _password(release: Release) -> str:
    return text(
        "Make a second role with the same rights (`GRANT old TO new`), seal it, and take the login"
        " from the first one when nothing uses it: a password that is changed in place breaks every"
        " new connection until the pods have restarted. All connections of this environment are"
        " made from one role and password:",
        block(f"gen-env seal {release.resolved.name} --user ROLE"),
    )
