"""How the CI of a repository gets gen-env: an index, a wheel, or an image that holds it."""

from __future__ import annotations

import dataclasses
import shlex

from generator.core.errors import UserError
from generator.definition import lock_file

WAYS = "index, index:URL, wheel:FILE-OR-URL or image:NAME"


@dataclasses.dataclass(frozen=True, slots=True)
class Install:
    """One of the ways; with an image, nothing is installed."""

    way: str = "index"
    value: str = ""

    @classmethod
    def parse(cls, text: str) -> Install:
        """`index`, `index:URL`, `wheel:FILE-OR-URL` or `image:NAME`; raises UserError."""
        way, _, value = text.partition(":")
        if way not in ("index", "wheel", "image") or (way != "index" and not value):
            raise UserError(f"cannot install from '{text}'", hint=f"write {WAYS}")
        if way == "index" and value and not value.startswith("https://"):
            raise UserError(f"'{value}' is not the https URL of a package index")
        if any(mark.isspace() or not mark.isprintable() for mark in value):
            raise UserError(f"'{text}' holds white space")
        if "@" in value.partition("://")[2].partition("/")[0]:
            raise UserError(
                "the address holds credentials, which would be in git",
                hint="leave them out; set PIP_INDEX_URL as a secret variable of the CI",
            )
        if way == "wheel" and not value.endswith(".whl"):
            raise UserError(f"'{value}' is not a wheel", hint="a wheel's name ends in .whl")
        return cls(way, value)

    @property
    def pip(self) -> str:
        """The words after `pip install`, quoted for a shell; empty with an image."""
        if self.way == "image":
            return ""
        if self.way == "wheel" and "://" in self.value:
            return shlex.quote(f"gen-env[helm] @ {self.value}")
        if self.way == "wheel":
            return shlex.quote(f"{self.value}[helm]")
        index = f"--index-url {shlex.quote(self.value)} " if self.value else ""
        return f"{index}'gen-env[helm]=={lock_file.version()}'"

    @property
    def image(self) -> str:
        """The image to run in; empty where pip installs."""
        return self.value if self.way == "image" else ""
