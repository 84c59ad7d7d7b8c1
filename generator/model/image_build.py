"""How an environment's own image is built: what goes into its Containerfile and its lock.

Every text here ends up in a file that a builder runs, so each has a form in which nothing but
itself can be written: no quotes, no spaces, no options.
"""

import datetime
import re
from typing import Annotated

import pydantic

from generator.model.base import Bool, EnvName, Line, Spec, Text, matching

_HOST = r"[A-Za-z0-9](?:[-.A-Za-z0-9]*[A-Za-z0-9])?(?::[0-9]{1,5})?"
IMAGE = re.compile(
    rf"(?:{_HOST}/)?[a-z0-9]+(?:(?:[._-]|__)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._-]|__)[a-z0-9]+)*)*"
    r"(?::[A-Za-z0-9_][-.A-Za-z0-9_]{0,127})?(?:@sha256:[0-9a-f]{64})?"
)
# Names and versions of Debian Policy 5.6.1 and 5.6.12; an architecture may follow the name.
_APT = re.compile(r"[a-z0-9][a-z0-9+.-]+(?::[a-z0-9]+)?(?:=[A-Za-z0-9][A-Za-z0-9.+:~-]*)?")
_PROJECT = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_SPECIFIER = r"(?:~=|===?|!=|<=?|>=?)[ ]?[A-Za-z0-9.*+!_-]+"
# Names, extras, versions and markers of PEP 508; a URL or an option of pip is none of these.
REQUIREMENT = re.compile(
    rf"(?P<name>{_PROJECT})[ ]?(?:\[{_PROJECT}(?:, ?{_PROJECT})*\])?[ ]?"
    rf"(?P<versions>\(?{_SPECIFIER}(?:, ?{_SPECIFIER})*\)?)?"
    r"(?: ?; ?[A-Za-z0-9_.'\"<>=!~() -]+)?"
)
_INDEX = re.compile(
    rf"(?:https://{_HOST}|http://(?:127\.0\.0\.1|localhost)(?::[0-9]{{1,5}})?)(?:/[A-Za-z0-9._~-]+)*/?"
)
_PATH = re.compile(r"(?!.*(?:^|/)\.{1,2}(?:/|$))[A-Za-z0-9_.][A-Za-z0-9._-]*(?:/[A-Za-z0-9._-]+)*")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")

ImageName = Annotated[Text, matching(IMAGE, "an image such as apache/airflow:3.2.2@sha256:…")]
Apt = Annotated[Text, matching(_APT, "a Debian package: name, or name=version")]
Project = Annotated[Text, matching(re.compile(_PROJECT), "a name of a Python package")]
Requirement = Annotated[
    Text,
    matching(REQUIREMENT, "a requirement such as pandas>=2.2; an option or a URL is not accepted"),
]
Specifier = Annotated[
    Text, matching(re.compile(r"[0-9][A-Za-z0-9.+!_-]*"), "a version such as 9.12.0")
]
Index = Annotated[Text, matching(_INDEX, "an https:// address without user, password and query")]
CopyPath = Annotated[Text, matching(_PATH, "a relative path of letters, digits, -, _, . and /")]
PythonVersion = Annotated[Text, matching(re.compile(r"3\.[0-9]{1,2}"), "a version such as 3.12")]
LabelName = Annotated[Text, matching(_LABEL, "a label such as org.opencontainers.image.vendor")]


def _day(value: str) -> str:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError("not a day such as 2026-05-29")
    datetime.date.fromisoformat(value)
    return value


Day = Annotated[Text, pydantic.AfterValidator(_day)]


class Build(Spec):
    """The image's Containerfile: `gen-env generate` writes it, `gen-env image lock` its lock."""

    base: ImageName
    """Image to build on, with its digest: `gen-env image pin --base` writes it."""
    python: PythonVersion = "3.12"
    """Python's version in the base; the lock is for it."""
    providers: dict[Project, Specifier | None] = {}
    """Provider → version, such as amazon: 9.12.0; without a version the lock chooses one."""
    requirements: tuple[Requirement, ...] = ()
    """Python packages, such as pandas>=2.2."""
    requirements_file: CopyPath | None = None
    """More of them: a requirements.txt in the environment's folder."""
    constraints: CopyPath | None = None
    """Airflow's constraints file, in the environment's folder."""
    not_after: Day | None = None
    """Without constraints: the last day of uploads that count; the release day of Airflow by
    default."""
    apt: tuple[Apt, ...] = ()
    """Debian packages of the image: name, or name=version."""
    build_apt: tuple[Apt, ...] = ()
    """Debian packages for compiling, in a stage of its own: the image does not get them."""
    dags: CopyPath | None = None
    """Folder of the repository whose DAGs go into the image."""
    certificate_authority: CopyPath | None = None
    """Certificates (PEM) that the image trusts: a file in the environment's folder."""
    index: Index | None = None
    """Package index instead of the base's own; credentials never stand here."""
    index_credentials: Bool = False
    """The index asks for credentials: a netrc file, given to the build as secret `netrc`."""
    args: dict[EnvName, Line] = {}
    """Build arguments → default: environment of the build's commands; never a secret."""
    labels: dict[LabelName, Line] = {}
    """More labels of the image."""
