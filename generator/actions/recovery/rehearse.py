"""`gen-env rehearse`: the migration of an upgrade on a copy of the database, and what it says."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from generator.actions.recovery import measurement, restore, throw_away
from generator.actions.recovery.measurement import Measurement
from generator.airflow import migrations, releases
from generator.airflow.image_release import Runs, Source
from generator.core.errors import UserError
from generator.definition import rehearsal_file
from generator.definition.rehearsal_file import Rehearsal, Side
from generator.diff import what_runs
from generator.impact.migration import classify
from generator.release.release import Release

_UNLIKE = (
    "the server of the environment: its release, disk, settings, collation, and what its cache "
    "holds",
    "other sessions: nobody else used the copy, where a lock may have to wait",
)
_IMAGE = re.compile(r"[a-zA-Z0-9][\w./:-]*(@sha256:[0-9a-f]{64})?", re.ASCII)
_AUTH = "AIRFLOW__CORE__AUTH_MANAGER"
_EXTERNAL = "AIRFLOW__DATABASE__EXTERNAL_DB_MANAGERS"


@dataclasses.dataclass(frozen=True, slots=True)
class Way:
    """From which Airflow to which, the commands back, and what was assumed for them."""

    old: Runs
    new: Runs
    back: tuple[str, ...]
    assumed: tuple[str, ...]
    heads: tuple[str, ...]
    """Revisions that the dump may have; none where they are not known."""

    def spec(self, repeat: int) -> dict[str, Any]:
        """What `rehearse.py` is told."""
        options = self.new.options
        found = {_AUTH: options.auth_manager, _EXTERNAL: ",".join(options.external)}
        return {
            "back": list(self.back),
            "expected": list(self.heads),
            "options": {key: value for key, value in found.items() if value},
            "providers": sorted(releases.data("migrations")["providers"]),
            "repeat": repeat,
        }


@dataclasses.dataclass(frozen=True, slots=True)
class Dump:
    """A file of `pg_dump -Fc`, encrypted or not, and its manifest where it is a backup."""

    path: Path
    manifest: Mapping[str, Any]


def way(release: Release, version: str, providers: Mapping[str, str] | None = None) -> Way:
    """What the upgrade migrates; raises UserError where nothing moves up, or it is not known.

    Without `providers` those of the official image of that release are assumed.
    """
    numbers = releases.parse(version)
    if numbers is None:
        raise UserError(f"'{version[:40]}' is not a release of Airflow", hint="such as 3.3.2")
    old = what_runs.by_values(release.values, release.environment.image.facts)
    new = Runs(airflow=version, source=Source.TAG, options=old.options)
    between = migrations.between(old.content, migrations.Image(version, providers, old.options))
    result = classify(old, new)
    if between is None or not old.airflow:
        raise UserError(f"what {release.resolved.name} runs is not known: {result.reason}")
    present = releases.parse(old.airflow) or ()
    if numbers < present or (numbers == present and not _provider_rises(between)):
        alone = "; of a provider alone: --python FILE with the providers of the new image"
        raise UserError(
            f"Airflow {version} is not newer than {old.airflow}: nothing is migrated",
            hint="--airflow VERSION names the release of the upgrade" + alone,
        )
    back = () if between.lost else tuple(step.command for step in between.back)
    assumed = tuple(dict.fromkeys(filter(None, (old.assumed, *between.assumed))))
    head = migrations.revision_head(old.airflow)
    heads = (head.revision,) if head.revision and not head.assumed else ()
    return Way(old, new, back, assumed, heads)


def _provider_rises(between: migrations.Migration) -> bool:
    return not between.falls and any(step.command == migrations.UP for step in between.there)


def dump(path: Path, environment: str) -> Dump:
    """A dump, or the newest complete backup of the environment in a folder. Raises UserError."""
    if path.is_dir():
        found = sorted(item for item in path.glob("*.json") if _taken(item.stem, environment))
        if not found:
            raise UserError(f"no complete backup of {environment} found", path=str(path))
        path = found[-1].with_suffix(".dump.age")
    if not path.is_file():
        raise UserError("dump not found", path=str(path))
    beside = path.with_name(path.name.removesuffix(".age").removesuffix(".dump") + ".json")
    manifest = _json(beside) if beside.is_file() and beside != path else {}
    _require_stored(path, manifest)
    return Dump(path, manifest)


def _taken(name: str, environment: str) -> datetime | None:
    """When a backup of the environment was made, by its name; None for another name."""
    place = re.escape(environment.replace("/", "."))
    found = re.fullmatch(rf"{place}-([0-9]{{8}}T[0-9]{{6}})Z", name)
    try:
        return datetime.strptime(f"{found[1]}Z", "%Y%m%dT%H%M%S%z") if found else None
    except ValueError:
        return None


def _require_stored(path: Path, manifest: Mapping[str, Any]) -> None:
    import hashlib

    wanted = manifest.get("sha256")
    if not wanted:
        return
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != wanted:
        size = f"{path.stat().st_size} of {manifest.get('bytes')} bytes"
        raise UserError(f"the dump is not what was stored: {size}", path=str(path))


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
        if isinstance(found, dict) and isinstance(found.get("rows", {}), dict):
            counts = found.get("rows", {}).values()
            if all(type(count) is int and count >= 0 for count in counts):
                return found
    except (OSError, ValueError, RecursionError):
        pass
    raise UserError("not the manifest of a backup", path=str(path))


def production(rows: Sequence[str]) -> dict[str, int]:
    """`TABLE=N` and manifests of backups, later ones over earlier ones. Raises UserError."""
    found: dict[str, int] = {}
    for item in rows:
        table, equals, count = item.partition("=")
        if equals and table and count.isascii() and count.isdecimal():
            found[table.removeprefix("public.")] = int(count)
        elif Path(item).is_file():
            found |= rehearsal_file.rows_of(_json(Path(item)).get("rows") or {})
        else:
            message = f"'{item[:80]}' is neither TABLE=N nor the manifest of a backup"
            raise UserError(message, hint="such as --rows task_instance=800000")
    return found


@dataclasses.dataclass(frozen=True, slots=True)
class Options:
    """What a run on this machine is asked for."""

    airflow: str
    dump: Path
    identity: Path | None = None
    rows: tuple[str, ...] = ()
    python: Path | None = None
    repeat: int = 3
    work: Path | None = None


def here(release: Release, options: Options, progress: Callable[[str], None]) -> Rehearsal:
    """Restore, migrate, go back, on a server of this machine. Raises UserError."""
    given = production(options.rows)
    item = dump(options.dump, release.resolved.name)
    python, origin = options.python, str(options.python)
    if python is None:
        way(release, options.airflow)
        progress(f"installing Airflow {options.airflow}")
        providers = migrations.of_official_image(options.airflow) or {}
        python = throw_away.airflow(options.airflow, providers, _cache())
        origin = "the package index, with the official image's providers that have migrations"
    target = throw_away.target(python, sorted(releases.data("migrations")["providers"]))
    if target["airflow"] != options.airflow:
        message = f"this interpreter has Airflow {target['airflow']}, not {options.airflow}"
        raise UserError(message, path=str(python))
    route = way(release, options.airflow, target["providers"])
    progress(f"restoring {item.path.name} into a server of its own")
    with (
        throw_away.opened(item.path, options.identity) as content,
        throw_away.server(content, options.work) as folder,
    ):
        printed = throw_away.measured(python, folder, route.spec(options.repeat), progress)
    image = f"the image of the target: it was not run, its packages came from {origin}"
    return judge(release, route, read(printed, ""), item.manifest, given, (image,))


def of_job(release: Release, airflow: str, place: Path, rows: Sequence[str]) -> Rehearsal:
    """The result of what the Job has printed. Raises UserError."""
    try:
        # A log holds both streams of a container; the document is one line.
        lines = place.read_bytes().splitlines()
        printed = next((line for line in reversed(lines) if line.startswith(b"{")), b"")
        found = read(printed, str(place))
    except OSError as error:
        raise UserError(f"cannot read: {error.strerror}", path=str(place)) from None
    if not _taken(found.backup, release.resolved.name):
        backup = f"'{found.backup}'" if found.backup else "no backup"
        raise UserError(
            f"it restored {backup}, not one of {release.resolved.name}", path=str(place)
        )
    return judge(
        release, way(release, airflow, found.target.providers), found, {}, production(rows)
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Job:
    """The manifest of a rehearsal in the cluster, and what to know of it."""

    text: str
    notes: tuple[str, ...]


def job(release: Release, airflow: str, image: str | None, repeat: int) -> Job:
    """The Job; raises UserError where gen-env makes no backup that it could restore."""
    from generator.manifests import rehearsal_job
    from generator.release.backup_names import REHEARSAL
    from generator.yaml.writer import dump_all

    backup = restore.require(release)
    if image is None:
        repository = release.environment.image.repository
        raise UserError("--job needs --image", hint=f"the target's image, such as {repository}:TAG")
    if not _IMAGE.fullmatch(image):
        message = f"'{image[:80]}' is not the name of an image"
        raise UserError(message, hint="REPOSITORY:TAG or REPOSITORY@DIGEST")
    route = way(release, airflow)
    if route.old.airflow == airflow:
        raise UserError(
            f"the providers of {image} are not known here, and with them the way back",
            hint="--dump FILE --python FILE rehearses a provider alone",
        )
    name, namespace = release.topology.names.of_part(REHEARSAL), release.environment.namespace
    made = rehearsal_job.objects(release, backup, image, route.spec(repeat))
    environment = release.resolved.name
    notes = (
        "nothing is applied: pipe this to kubectl apply -f -",
        f"its result: kubectl -n {namespace} logs job/{name} -c airflow > printed.json, then "
        f"gen-env rehearse {environment} --airflow {airflow} --result printed.json",
        *(f"assumed: {item}" for item in route.assumed),
        f"not read: what {image} holds; the Job prints it",
    )
    return Job(dump_all(made), notes)


def _cache() -> Path:
    import os

    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "gen-env/rehearsal"


def read(content: bytes, path: str) -> Measurement:
    """What a run has printed, here or in a Job. Raises UserError."""
    return rehearsal_file.parsed(Measurement, content, path, "what a rehearsal prints")


def judge(
    release: Release, route: Way, found: Measurement, manifest: Mapping[str, Any],
    given: Mapping[str, int], not_read: tuple[str, ...] = (),
) -> Rehearsal:  # fmt: skip
    """The result, for the rows of the production where these are known.

    Raises UserError for a measurement of another release or another dump than the manifest's.
    """
    if found.target.airflow != route.new.airflow:
        raise UserError(f"it ran Airflow {found.target.airflow}, not {route.new.airflow}")
    heads = found.heads.get("alembic_version", ())
    if route.heads and not set(heads) & set(route.heads):
        wanted = f"Airflow {route.old.airflow} has {' or '.join(route.heads)}"
        raise UserError(f"it restored the revision {', '.join(heads) or 'none'}, and {wanted}")
    alone = route.old.airflow == route.new.airflow
    if alone and found.heads == found.heads_after and not found.failed:
        raise UserError("the dump has every revision of the target: nothing was migrated")
    counted = found.rows if found.backup else rehearsal_file.rows_of(manifest.get("rows") or {})
    if counted and counted != {k: v for k, v in found.rows.items() if k in counted}:
        raise UserError("the rows of the restored database are not those of the backup's manifest")
    rows = {**counted, **given}
    parts = tuple(measurement.steps(found, rows))
    room, wal = measurement.room(found, rows)
    return Rehearsal(
        format=1,
        environment=release.resolved.name,
        at=found.at,
        backup=found.backup or str(manifest.get("name") or ""),
        start=Side(
            airflow=route.old.airflow, providers=dict(route.old.providers or {}), heads=found.heads
        ),
        end=Side(
            airflow=found.target.airflow, providers=found.target.providers, heads=found.heads_after
        ),
        outcome="failed" if found.failed else "passed",
        failed=found.failed.words if found.failed else "",
        server=found.server,
        rows={name: count for name, count in found.rows.items() if count},
        production=rows,
        size=found.size,
        room=room,
        wal=wal,
        runs=len(found.runs),
        estimate=measurement.total(found, parts),
        steps=parts,
        back=measurement.way_back(found),
        not_read=(*not_read, *_not_read(route, found, manifest, rows, release.resolved.name)),
    )


def _since(found: Measurement, manifest: Mapping[str, Any], environment: str) -> str:
    """What the dump cannot hold."""
    if not manifest and not found.backup:
        return "where the dump is from, and of when it is: it has no manifest"
    name = found.backup or str(manifest.get("name") or "")
    taken = _taken(name, environment)
    if taken is None:
        return f"the database of {environment}: the dump is the backup '{name[:80]}'"
    days = max(0, found.at - taken.timestamp()) / 86400
    return f"what came into the database since the backup, {days:.0f} days before the rehearsal"


def _not_read(
    route: Way, found: Measurement, manifest: Mapping[str, Any], rows: Mapping[str, int],
    environment: str,
) -> Iterator[str]:  # fmt: skip
    yield from (f"assumed: {item}" for item in route.assumed)
    if not rows:
        yield "rows of the production: not known, the dump is taken for all of it"
    elif missing := [name for name, count in found.rows.items() if count and name not in rows]:
        yield f"rows of {len(missing)} tables in production: taken as in the dump"
    yield _since(found, manifest, environment)
    if not route.heads:
        yield f"whether the dump is of Airflow {route.old.airflow}: its revision is not known"
    yield from _not_run(found)
    yield from _UNLIKE


def _not_run(found: Measurement) -> Iterator[str]:
    if not found.runs:
        yield "times and room: no migration of the dump came to its end"
    elif len(found.runs) == 1:
        yield "how much the times vary: there was one run"
    if found.failed:
        yield "the way back: it was not run, because the migration failed"
    elif found.back and found.back.failed:
        yield "revisions and rows after the way back: it failed, and they were not compared"
    elif found.back and found.back.commands:
        yield (
            "whether the old image starts after the way back, and what rows hold then: revisions "
            "and numbers of rows were compared"
        )
