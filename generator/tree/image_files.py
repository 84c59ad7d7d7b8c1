"""How the image of an environment is built, as files of its tree, and what stands in the way.

No engine reads them: they are in generated/image/, below no source of an Application and in no
kustomization, and none of them is YAML.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

from generator.core.errors import UserError
from generator.core.files import Files
from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.definition.resolve import Resolved
from generator.engine.argocd import GENERATED
from generator.image_build import containerfile, lock, requirements
from generator.image_build.containerfile import Facts
from generator.image_build.requirements import Inputs
from generator.model.image_build import Build
from generator.redaction.names import holds_secret
from generator.tree.tree import Tree, header

INPUT = Rule(
    "image/build-input",
    Severity.ERROR,
    "A file or a value from which the image cannot be built",
    "It is missing, or would come into the image as something else than it says.",
)
SECRET = Rule(
    "image/secret-argument",
    Severity.ERROR,
    "A secret among the build arguments",
    "Build arguments are in the history of the image: whoever pulls it can read them.",
)
LOCK = Rule(
    "image/lock",
    Severity.WARNING,
    "A lock of the image that is missing or out of date",
    "The image cannot be built: the build compares the lock with the requirements.",
)

FOLDER = f"{GENERATED}/image"
CONTAINERFILE = "Containerfile"
_PLAIN_HOME = re.compile(r"(/[A-Za-z0-9._-]+)+")
_CERTIFICATE = b"-----BEGIN CERTIFICATE-----"
# What would change where packages come from, or what gen-env itself sets.
_OWN_ARGS = frozenset({
    "NETRC", "PIP_CERT", "PIP_CONFIG_FILE", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS",
    "PIP_INDEX_URL", "PIP_TRUSTED_HOST", "PYTHONHASHSEED", "SOURCE_DATE_EPOCH",
})  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class ImageFiles:
    """What the files are made from, with every finding on the way."""

    facts: Facts | None
    problems: tuple[Problem, ...] = ()


def built(files: Files, resolved: Resolved) -> Tree:
    """The files of the image by path; nothing where `image.build` is not given."""
    read = load(files, resolved)
    if read.facts is None:
        return Tree({}, read.problems)
    head = header(resolved.definition.path, f"generate {resolved.name}")
    folder = f"{resolved.definition.folder}/{FOLDER}"
    made = {
        f"{folder}/{CONTAINERFILE}": head + containerfile.text(read.facts),
        f"{folder}/{CONTAINERFILE}.dockerignore": head + containerfile.ignore(read.facts),
        f"{folder}/requirements.in": head + read.facts.inputs.text,
    }
    return Tree(made, (*read.problems, *_lock(files, resolved, read.facts)))


def present(files: Files, resolved: Resolved) -> list[str]:
    """The files of an image that cannot be built now: they stay until it can."""
    if resolved.environment.image.build is None:
        return []
    return list(files.below(f"{resolved.definition.folder}/{FOLDER}"))


def load(files: Files, resolved: Resolved) -> ImageFiles:
    """Read what the image of an environment is built from; no facts where it cannot be built."""
    build = resolved.environment.image.build
    if build is None:
        return ImageFiles(None)
    reading = _Reading(files, resolved)
    more = list(_requirements(reading, build))
    constraints = reading.content("constraints", build.constraints)
    found = requirements.inputs(resolved.environment, build, more, constraints)
    _look(reading, build, found)
    if reading.problems:
        return ImageFiles(None, tuple(reading.problems))
    return ImageFiles(_facts(resolved, build, found))


def _facts(resolved: Resolved, build: Build, found: Inputs) -> Facts:
    environment, folder = resolved.environment, resolved.definition.folder
    return Facts(
        resolved.name,
        folder,
        build,
        found,
        f"{folder}/{lock.FILE_NAME}",
        environment.airflow.home,
        environment.airflow.version,
        resolved.settings.repository.repository.url,
        requirements.last_day(environment, build),
    )


@dataclasses.dataclass
class _Reading:
    """The files that a build names, as they are read, and what is wrong with them."""

    files: Files
    resolved: Resolved
    problems: list[Problem] = dataclasses.field(default_factory=list)

    def content(self, field: str, name: str | None) -> bytes:
        """A named file of the environment's folder; empty with a finding where it is missing."""
        if name is None:
            return b""
        path = self.path(name)
        try:
            found = self.files.read(path)
        except UserError as error:
            self.fault(error.message, field, hint="name another file")
            return b""
        if found is None:
            self.fault(f"{path} not found", field, hint="write it, or remove its name here")
        return found or b""

    def path(self, name: str) -> str:
        return f"{self.resolved.definition.folder}/{name}"

    def fault(self, message: str, *field: str, hint: str = "", rule: Rule = INPUT) -> None:
        where = ("image", "build", *field)
        self.problems.append(self.resolved.problem(rule, message, *where, hint=hint))


def _requirements(reading: _Reading, build: Build) -> Iterator[str]:
    """The requirements in the file that a build names; a finding for each other line."""
    content = reading.content("requirementsFile", build.requirements_file)
    for number, line in requirements.lines(content):
        if line:
            yield line
            continue
        assert build.requirements_file is not None
        # The line is never shown: the address of an index often holds a password.
        problem = INPUT.problem(
            "not a requirement such as pandas>=2.2",
            environment=reading.resolved.name,
            path=reading.path(build.requirements_file),
            line=number,
            hint="write NAME, or NAME and versions, on one line; the index is image.build.index,"
            " and options, URLs and hashes are not accepted",
        )
        reading.problems.append(problem)


def _look(reading: _Reading, build: Build, found: Inputs) -> None:
    if any(map(requirements.names_airflow, found.requirements[1:])):
        message = "a requirement names Airflow itself"
        reading.fault(message, hint="remove it: airflow.version decides")
    home = reading.resolved.environment.airflow.home
    if build.dags and not _PLAIN_HOME.fullmatch(home):
        reading.fault("airflow.home is not a plain path, and DAGs go below it", "dags")
    authority = reading.content("certificateAuthority", build.certificate_authority)
    if b"PRIVATE KEY" in authority:
        hint = "name a file with certificates alone, and change the key: git keeps it"
        reading.fault("the file holds a private key", "certificateAuthority", hint=hint)
    elif authority and _CERTIFICATE not in authority:
        reading.fault("the file holds no certificate in PEM", "certificateAuthority")
    for name, value in build.args.items():
        if name.upper() in _OWN_ARGS:
            hint = "remove it; the index is image.build.index"
            reading.fault(f"{name} cannot be a build argument", "args", name, hint=hint)
        elif holds_secret(name, value):
            hint = "remove it, and change it: it stays in the history of git"
            reading.fault(f"{name} holds a secret", "args", name, hint=hint, rule=SECRET)


def _lock(files: Files, resolved: Resolved, facts: Facts) -> Iterator[Problem]:
    try:
        fault = lock.fault(files.read(facts.lock), facts.inputs, facts.lock)
    except UserError as error:
        fault = error.message
    if fault:
        hint = f"run: gen-env image lock {resolved.name}"
        yield resolved.problem(LOCK, fault, "image", "build", hint=hint)
