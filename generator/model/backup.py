"""Backups of the metadata database, and the drills that prove them."""

import re
from typing import Annotated, Literal, Self

import pydantic

from generator.model.base import (
    Bool,
    Count,
    Digest,
    Duration,
    Label,
    Line,
    Name,
    Positive,
    Quantity,
    Spec,
    SubPath,
    Text,
)
from generator.model.components import Resources
from generator.model.marks import Copied

_RECIPIENT = re.compile(r"age1[02-9ac-hj-np-z]{58}")
_ENDPOINT = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?/?")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


class BackupImage(Spec):
    """Bash, PostgreSQL's programs and server, age; for S3 rclone too (docs/backup.md)."""

    repository: Line
    """Registry and name, without tag."""
    tag: Line | None = None
    """The tag, where no digest says more."""
    digest: Digest | None = None
    """Pins the bytes."""

    @pydantic.model_validator(mode="after")
    def _which(self) -> Self:
        if self.tag is None and self.digest is None:
            raise ValueError("give tag or digest")
        return self

    @property
    def reference(self) -> str:
        """As a container names it."""
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.repository}{tag}" + (f"@{self.digest}" if self.digest else "")


class S3(Spec):
    """A bucket of AWS or of anything that speaks its API."""

    bucket: Annotated[Text, Copied.FILL_IN]
    """The bucket's name."""
    prefix: SubPath = ""
    """Folder in it; below that every environment has one of its own."""
    endpoint: Line | None = None
    """URL of another service than AWS."""
    region: Line | None = None
    """The bucket's region."""
    access: Literal["keys", "role"] = "keys"
    """keys: in the backup's Secret; role: that of its service account."""

    @pydantic.field_validator("bucket")
    @classmethod
    def _name(cls, value: str) -> str:
        if not _BUCKET.fullmatch(value):
            raise ValueError("not a bucket's name: lower-case letters, digits, - and .")
        return value

    @pydantic.field_validator("endpoint")
    @classmethod
    def _url(cls, value: str | None) -> str | None:
        if value is not None and not _ENDPOINT.fullmatch(value):
            raise ValueError("write scheme and host, such as https://s3.example.com:9000")
        return value


class BackupVolume(Spec):
    """A claim that exists in the namespace; every environment has a folder in it."""

    claim: Annotated[Label, Copied.FILL_IN]
    """Name of the PersistentVolumeClaim."""


class BackupStorage(Spec):
    """Where backups are kept: give one."""

    s3: S3 | None = None
    volume: BackupVolume | None = None

    @pydantic.model_validator(mode="after")
    def _one(self) -> Self:
        if (self.s3 is None) == (self.volume is None):
            raise ValueError("give either s3 or volume")
        return self


class Retention(Spec):
    """What is deleted after a new backup is stored; the newest that a drill has proven stays."""

    days: Positive = 30
    """Older backups go."""
    at_least: Positive = 3
    """The newest ones that stay, however old."""


class Encryption(Spec):
    """Who can open the backups."""

    recipients: Annotated[tuple[Text, ...], pydantic.Field(min_length=1)]
    """Public keys of age (age1…): that of the drill, and one whose key is kept elsewhere."""

    @pydantic.field_validator("recipients")
    @classmethod
    def _public(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for item in value:
            if item.upper().startswith("AGE-SECRET-KEY"):
                raise ValueError(
                    "this is a private key, which now is in a file: make another one, and write"
                    " its public key (age1…)"
                )
            if not _RECIPIENT.fullmatch(item):
                raise ValueError("not a public key of age: age1 and 58 letters and digits")
        return value


class Drill(Spec):
    """A restore of the newest backup into a server of its own, thrown away afterwards."""

    schedule: Line = "30 5 * * *"
    """Cron expression with five fields."""
    secret_name: Annotated[Name | None, Copied.DERIVE] = None
    """Holds age's private key as `identity`; `<release>-backup-identity` by default."""
    max_age: Duration = "48h"
    """The drill fails when the newest complete backup is older."""
    scratch: Quantity = "20Gi"
    """Room for the encrypted dump and the restored database."""


class Backup(Spec):
    """Dumps of the metadata database (PostgreSQL), encrypted and stored on a schedule."""

    external: Line | None = None
    """What backs the database up instead; no other field is given then."""
    schedule: Line = "0 2 * * *"
    """Cron expression with five fields."""
    time_zone: Line = "Etc/UTC"
    """Time zone of both schedules."""
    image: BackupImage | None = None
    storage: BackupStorage | None = None
    retention: Retention = Retention.model_construct()
    encryption: Annotated[Encryption | None, Copied.FILL_IN] = None
    drill: Drill | None = Drill.model_construct()
    before_migration: Bool = False
    """Make a backup in each sync before a migration that is due (Argo CD)."""
    secret_name: Annotated[Name | None, Copied.DERIVE] = None
    """Holds `username` and `password` of a role that reads the database, and for S3
    `access-key-id` and `secret-access-key`; `<release>-backup` by default."""
    service_account: Annotated[dict[str, Text], Copied.FILL_IN] = {}
    """Annotations of the service account, such as a cloud's role."""
    uid: Count | None = 999
    """User id; the image must know it (initdb asks). 999 is postgres in the official image."""
    lock_timeout: Duration = "60s"
    """How long the dump waits for a lock, such as that of a migration, before it fails."""
    deadline: Duration = "6h"
    """A run that takes longer is ended."""
    scratch: Quantity = "20Gi"
    """S3: room for the encrypted dump before it is uploaded."""
    suspend: Bool = False
    """Stop both schedules."""
    resources: Resources | None = None
    """Requests and limits; by default those of Airflow's jobs."""

    @pydantic.model_validator(mode="after")
    def _complete(self) -> Self:
        if self.external is not None:
            if self.model_fields_set - {"external"}:
                raise ValueError("external takes no other field: gen-env makes nothing then")
            return self
        wanted = {
            "image": self.image, "storage": self.storage, "encryption": self.encryption
        }  # fmt: skip
        if missing := [name for name, value in wanted.items() if value is None]:
            raise ValueError(
                f"{', '.join(missing)} missing; or name in external what backs the database up"
            )
        return self
