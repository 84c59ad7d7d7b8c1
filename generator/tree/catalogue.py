"""Everything that stands in a repository: settings, definitions, secrets, locks."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

from generator.core.errors import UserError
from generator.core.files import Files
from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.definition import definition, lock_file, resolve
from generator.definition.definition import FILE_NAME, ROOT, SETTINGS, Definition, Settings
from generator.kube import fields
from generator.model.environment import Engine
from generator.redaction.names import holds_secret
from generator.redaction.text import redact
from generator.seal.inspection import MALFORMED, PLAIN
from generator.seal.sealed_secret import MAX_FILE_BYTES
from generator.tree import manifest_file
from generator.tree.objects import SecretFile
from generator.tree.plan import UNREADABLE
from generator.yaml import reader
from generator.yaml.errors import YamlError
from generator.yaml.limits import Limits

SYNTAX = Rule(
    "yaml/syntax", Severity.ERROR, "A file that is not valid YAML", "Nothing of it can be used."
)
NAME = Rule(
    "definition/name",
    Severity.ERROR,
    "A folder whose name is invalid, or two environments of one name",
    "Namespaces, labels and Applications are named after it.",
)
NO_SETTINGS = Rule(
    "settings/missing", Severity.ERROR, "No gen-env.yaml", "It defines the clusters."
)
SYMLINK = Rule(
    "tree/symlink",
    Severity.ERROR,
    "A symbolic link or a submodule below environments/",
    "It is never followed.",
)

_REFERENCE = re.compile(r"\{\{[^{}]*\}\}")
_SEALED = Limits(size=MAX_FILE_BYTES)


@dataclasses.dataclass(frozen=True, slots=True)
class Catalogue:
    """One repository, read: what parsed, and a problem for all that did not."""

    settings: Settings | None
    definitions: Mapping[str, Definition]
    problems: tuple[Problem, ...]
    names: frozenset[str] = frozenset()
    """Every environment, those too that were not read or whose definition cannot be."""

    @property
    def deployed(self) -> dict[str, tuple[Engine, str]]:
        """Engine and cluster of every environment; the repository's engine where it was not read.

        The cluster is '' where it is not known.
        """
        if self.settings is None:
            return {}
        settings = self.settings
        unread = dict.fromkeys(self.names, (settings.repository.engine, ""))
        read = {name: resolve.deployed(item, settings) for name, item in self.definitions.items()}
        return {**unread, **read}

    @property
    def uses_flux(self) -> bool:
        """Whether Flux applies one of the environments."""
        return any(engine == "flux" for engine, _ in self.deployed.values())

    def chosen(self, names: Sequence[str]) -> tuple[Definition, ...]:
        """The definitions of these environments, or of all; raises UserError for an unknown."""
        if not names:
            return tuple(self.definitions.values())
        unknown = [name for name in names if name not in self.definitions]
        broken = {problem.environment for problem in self.problems}
        unknown = [name for name in unknown if name not in broken]
        if unknown:
            names = sorted({*self.definitions, *self.names})
            close = difflib.get_close_matches(unknown[0], names, 1)
            meant = f'did you mean "{close[0]}"? ' if close else ""
            known = ", ".join(names) or "none yet"
            quoted = ", ".join(f'"{name}"' for name in dict.fromkeys(unknown))
            what = "environment" if len(set(unknown)) == 1 else "environments"
            raise UserError(
                f"{what} {quoted} not found in {ROOT}/",
                hint=f"{meant}known environments: {known}; create one with: gen-env new NAME",
            )
        return tuple(self.definitions[name] for name in names if name in self.definitions)


def load(files: Files, only: Set[str] | None = None) -> Catalogue:
    """Read settings and definitions; nothing raises for what people wrote.

    With `only`, other environments are not read, as if they were not there; that their names
    collide with one is found all the same.
    """
    problems: list[Problem] = []
    settings = _settings(files, problems)
    definitions: dict[str, Definition] = {}
    names: list[str] = []
    problems += _links(files)
    for path in files.below(ROOT):
        if not path.endswith(f"/{FILE_NAME}"):
            continue
        name = path.removeprefix(f"{ROOT}/").removesuffix(f"/{FILE_NAME}")
        faults = list(definition.name_faults(name))
        problems += [
            NAME.problem(fault, environment=name, path=path, line=1, hint="rename the folder")
            for fault in faults
        ]
        if faults:
            continue
        names.append(name)
        if only is not None and name not in only:
            continue
        try:
            definitions[name] = definition.load(name, files.read(path) or b"")
        except UserError as error:
            problems.append(_unreadable(error, name))
    problems += _collisions(names)
    everybody = frozenset({*names, *(item.environment for item in problems)} - {""})
    return Catalogue(settings, dict(sorted(definitions.items())), tuple(problems), everybody)


def one(files: Files, name: str) -> Definition | None:
    """One definition, or None where it is missing or does not parse."""
    try:
        text = files.read(f"{ROOT}/{name}/{FILE_NAME}")
        return definition.load(name, text) if text is not None else None
    except UserError:
        return None


def _settings(files: Files, problems: list[Problem]) -> Settings | None:
    try:
        text = files.read(SETTINGS)
    except UserError as error:
        problems.append(_unreadable(error, ""))
        return None
    if text is None:
        problems.append(
            NO_SETTINGS.problem(
                f"{SETTINGS} not found here",
                path=SETTINGS,
                hint="create a repository with: gen-env init PATH",
            )
        )
        return None
    try:
        settings, faults = definition.load_settings(text)
    except YamlError as error:
        problems.append(_unreadable(error, ""))
        return None
    problems += faults
    return settings


def _unreadable(error: UserError, environment: str) -> Problem:
    rule = SYNTAX if isinstance(error, YamlError) else UNREADABLE
    return rule.problem(
        error.message,
        environment=environment,
        path=error.path,
        line=error.line,
        hint=error.hint,
    )


def _links(files: Files) -> Iterator[Problem]:
    for path in files.links(ROOT):
        yield SYMLINK.problem(
            f"a symbolic link or a submodule below {ROOT}/: it is not followed",
            path=path,
            hint="replace it by a file or a folder",
        )


def _collisions(names: Sequence[str]) -> Iterator[Problem]:
    """`payments/dev` and `payments-dev` would both be Application airflow-payments-dev."""
    seen: dict[str, str] = {}
    for name in sorted(names):
        flat = name.replace("/", "-").lower()
        if flat in seen:
            yield NAME.problem(
                f"its Application would have the same name as that of {seen[flat]}",
                environment=name,
                path=f"{ROOT}/{name}/{FILE_NAME}",
                line=1,
                hint="rename one of the two",
            )
        seen.setdefault(flat, name)


@dataclasses.dataclass(frozen=True, slots=True)
class SecretFolder:
    """What an environment's secrets/ holds: SealedSecrets, other objects, what cannot be read."""

    sealed: tuple[SecretFile, ...] = ()
    others: tuple[SecretFile, ...] = ()
    problems: tuple[Problem, ...] = ()


NO_SECRETS = SecretFolder()


def secret_files(files: Files, item: Definition) -> SecretFolder:
    """The objects in an environment's secrets/, as far as Argo CD reads them."""
    found: list[SecretFile] = []
    others: list[SecretFile] = []
    problems: list[Problem] = []
    folder = f"{item.folder}/secrets/"
    for path in files.below(folder[:-1]):
        if not path.endswith(".yaml") or "/" in path.removeprefix(folder):
            continue
        try:
            content = files.read(path) or b""
            manifest = _manifest(content, path)
        except UserError as error:
            problems.append(_unreadable(error, item.name))
            continue
        kind = manifest.get("kind")
        if kind == "SealedSecret" and not _is_sealed_secret(manifest):
            problems.append(
                MALFORMED.problem(
                    "not a SealedSecret: spec.encryptedData must map keys to ciphertexts",
                    environment=item.name,
                    path=path,
                    line=reader.read(content, path).line(("spec", "encryptedData")),
                    hint="restore it from git, or remove it and seal its values again",
                )
            )
        elif kind == "SealedSecret":
            problems += _plain_texts(item, path, content, manifest)
            found.append(SecretFile(path, content.decode(), manifest))
        elif kind == "Secret":
            problems.append(
                PLAIN.problem(
                    "a plain Secret in git: everybody who can read the repository has it",
                    environment=item.name,
                    path=path,
                    line=reader.read(content, path).line(("kind",)),
                    hint="remove it, change the values, seal them: gen-env seal",
                )
            )
        else:
            others.append(SecretFile(path, content.decode(), manifest))
    return SecretFolder(tuple(found), tuple(others), tuple(problems))


def _plain_texts(
    item: Definition, path: str, content: bytes, manifest: Mapping[str, Any]
) -> Iterator[Problem]:
    """Unsealed secrets in a SealedSecret's template; references to sealed values are allowed."""
    for name in ("data", "stringData"):
        texts = fields.section(manifest, "spec", "template", name)
        for key, value in texts.items():
            written = _REFERENCE.sub("", str(value)).strip()
            instead = str(key) in fields.section(manifest, "spec", "encryptedData")
            if written and (
                instead or holds_secret(str(key), written) or redact(written) != written
            ):
                # The controller fills the template in last, so that its text wins.
                why = "takes the place of the sealed value" if instead else "is not sealed"
                yield PLAIN.problem(
                    f"spec.template.{name}.{key} {why}: anyone who can read the"
                    " repository can read it",
                    environment=item.name,
                    path=path,
                    line=reader.read(content, path).line(("spec", "template", name, str(key))),
                    hint="remove it, change the value, seal it: gen-env seal",
                )


def _is_sealed_secret(manifest: Mapping[str, Any]) -> bool:
    """Whether it has the shape of one; to add a key to anything else would lose what it holds."""
    metadata, spec = manifest.get("metadata"), manifest.get("spec") or {}
    if not isinstance(metadata, Mapping) or not isinstance(spec, Mapping):
        return False
    data = spec.get("encryptedData")
    if not isinstance(data, Mapping | None):
        return False
    return all(isinstance(value, str | None) for value in (data or {}).values())


def _manifest(content: bytes, path: str) -> Mapping[str, Any]:
    """The one object of a file, or nothing; raises YamlError if the file is not of that kind.

    Marks are not kept: there are many such files, and hardly ever is a line asked for.
    """
    found = manifest_file.read(content, path, _SEALED)
    if len(found) > 1:
        raise YamlError(
            "more than one YAML document",
            path=path,
            hint="keep one Secret in this file, and the others in files of their own",
        )
    return found[0] if found else {}


def lock(files: Files, item: Definition) -> lock_file.Lock | None:
    """The environment's lock; raises YamlError for a broken one."""
    path = f"{item.folder}/{lock_file.FILE_NAME}"
    text = files.read(path)
    return None if text is None else lock_file.read(text, path)
