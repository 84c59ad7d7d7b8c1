"""A bare copy of a repository that strangers can write to, kept for reading its objects.

The flags close what git's own advisories have shown to run or fetch more than was asked for:
hooks, filters, submodules, other protocols, redirects, credential helpers, odd trees.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import fcntl
import os
import time
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from generator.core.errors import UserError
from generator.core.process import CommandError, Completed
from generator.git.command import Git, refuse_option, words_of
from generator.git.errors import Fault, RemoteError
from generator.git.revision import Revision
from generator.git.url import display_url, host_url

_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.symlinks=false",
    "core.protectHFS=true",
    "core.protectNTFS=true",
    "core.attributesFile=/dev/null",
    "credential.helper=",
    "fetch.fsckObjects=true",
    "transfer.fsckObjects=true",
    "fetch.recurseSubmodules=no",
    "submodule.recurse=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "http.followRedirects=false",
    "safe.bareRepository=explicit",
    "protocol.allow=never",
)
_ENVIRONMENT = {
    "HOME": "/nonexistent",
    "XDG_CONFIG_HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "/bin/false",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_LFS_SKIP_SMUDGE": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C",
}
# How the machine reaches its network is the operator's to say, and nothing else of theirs is read.
_PASSED_ON = ("PATH", "https_proxy", "HTTPS_PROXY", "http_proxy", "no_proxy", "NO_PROXY",
              "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO")  # fmt: skip
_FETCH = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-gc",
          "--no-recurse-submodules")  # fmt: skip
_BLOCK = 512  # `ulimit -f` counts in these
_LIMITED = ("/bin/sh", "-c", 'ulimit -f "$0" && exec "$@"')


@dataclasses.dataclass(frozen=True, slots=True)
class Mirror:
    """The bare repository at `gitdir`; forks share it, so read it by commit ids alone."""

    gitdir: Path

    @classmethod
    def open(cls, gitdir: Path) -> Mirror:
        """The mirror at `gitdir`, created when it is not there."""
        mirror = cls(gitdir)
        if not (gitdir / "HEAD").is_file():
            gitdir.parent.mkdir(parents=True, exist_ok=True)
            with mirror.locked():
                mirror.git.run("init", "--quiet", "--bare", "--template=", str(gitdir))
        return mirror

    @property
    def git(self) -> Git:
        """git in this mirror: without any protocol, hook, filter or setting from outside."""
        return self._hardened({})

    def at(self, sha: str) -> Revision:
        """The files of a commit or tree that was fetched, or of a merge of two of them."""
        refuse_option(sha, "revision")
        return Revision(self.git, sha)

    def resolve(self, ref: str) -> str | None:
        """The commit that a ref or id names here, None when there is none."""
        refuse_option(ref, "revision")
        return self.git.line_or_none(
            "rev-parse", "--quiet", "--verify", "--end-of-options", f"{ref}^{{commit}}"
        )

    def fetch(
        self,
        url: str,
        refspecs: Sequence[str],
        token: str = "",
        *,
        username: str = "x-access-token",
        allow_http: bool = False,
        timeout: float = 300.0,
        max_bytes: int = 4 << 30,
    ) -> None:
        """Fetch refs or commits from the configured address, one process at a time.

        A refspec is `+<ref or id>:refs/w/<name>`. The token travels in the environment, never in
        arguments or files. Raises UserError when the address is not plain https (http with
        `allow_http`), and RemoteError when the forge refuses, an object is malformed, a limit is
        exceeded or the mirror is busy.
        """
        for refspec in refspecs:
            refuse_option(refspec, "refspec")
        git = self.outward(url, token, username=username, allow_http=allow_http)
        arguments = (*_FETCH, "--", url, *refspecs)
        limit = (*_LIMITED, str(max_bytes // _BLOCK))
        with self.locked():
            try:
                done = git.run(*arguments, check=False, timeout=timeout, limit=limit)
            except CommandError as error:
                message = f"cannot fetch from {display_url(url)}: {error.message}"
                raise RemoteError(message, Fault.PASSING) from None
        if done.status != 0:
            raise _refusal(done, url, token)

    def outward(
        self,
        url: str,
        token: str,
        *,
        username: str,
        allow_http: bool,
        more: Mapping[str, str] | None = None,
    ) -> Git:
        """git in this mirror with the one protocol of this address, and credentials for its host.

        `more` are further settings of git's. Raises UserError as `fetch` does.
        """
        _check_url(url, allow_http=allow_http)
        scheme = url.partition(":")[0]
        settings = {f"protocol.{scheme}.allow": "always", **(more or {})}
        if token:
            settings[f"http.{host_url(url)}.extraHeader"] = _authorization(username, token)
        return self._hardened(settings, {"GIT_ALLOW_PROTOCOL": scheme})

    def drop(self, refs: Iterable[str]) -> None:
        """Forget refs that a job no longer needs; those that are not there are passed over."""
        names = [ref for ref in refs if self.resolve(ref)]
        request = "".join(f"delete {ref}\0\0" for ref in names)
        with self.locked():
            self.git.run("update-ref", "-z", "--stdin", stdin=request.encode())

    def clean(self) -> None:
        """Pack what is needed and remove what no ref has named for two weeks."""
        with self.locked():
            self.git.run("gc", "--quiet", "--prune=2.weeks.ago", timeout=1800)

    @contextlib.contextmanager
    def locked(self, patience: float = 300.0) -> Iterator[None]:
        """Keep other threads and processes from writing here; not to be entered twice.

        Raises RemoteError when another holds the lock for longer than `patience` seconds.
        """
        lock = self.gitdir.with_name(self.gitdir.name + ".lock")
        deadline = time.monotonic() + patience
        with lock.open("a") as file:
            while not _try_lock(file.fileno()):
                if time.monotonic() > deadline:
                    message = f"the mirror {self.gitdir.name} is busy for too long"
                    raise RemoteError(message, Fault.PASSING)
                time.sleep(0.02)
            yield  # closing the file gives the lock up

    def _hardened(
        self, settings: Mapping[str, str], environment: Mapping[str, str] | None = None
    ) -> Git:
        passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        counted = {"GIT_CONFIG_COUNT": str(len(settings))}
        for index, (key, value) in enumerate(settings.items()):
            counted |= {f"GIT_CONFIG_KEY_{index}": key, f"GIT_CONFIG_VALUE_{index}": value}
        options = tuple(part for setting in _SETTINGS for part in ("-c", setting))
        return Git(
            (*options, f"--git-dir={self.gitdir}", "--literal-pathspecs"),
            passed | _ENVIRONMENT | {"GIT_ALLOW_PROTOCOL": ""} | counted | dict(environment or {}),
        )


def _check_url(url: str, *, allow_http: bool) -> None:
    parts = urllib.parse.urlsplit(url)
    schemes = ("https", "http") if allow_http else ("https",)
    if parts.scheme not in schemes or not parts.hostname:
        raise UserError(
            f"{display_url(url)} is not a valid fetch URL",
            hint=f"it must start with {schemes[-1]}://",
        )
    if "@" in parts.netloc:
        raise UserError("an address must not hold credentials", hint="configure a token instead")


def _authorization(username: str, token: str) -> str:
    pair = base64.b64encode(f"{username}:{token}".encode()).decode()
    return f"Authorization: Basic {pair}"


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


# A phrase in git's output, the message for it, and whether another attempt may help.
_REASONS = (
    ("could not read Username", "the forge requires credentials or rejected them", Fault.LASTING),
    ("Authentication failed", "the forge rejected the credentials", Fault.LASTING),
    ("error: 401", "the forge rejected the credentials", Fault.LASTING),
    ("error: 403", "the forge denies read access to this repository", Fault.LASTING),
    ("not found", "repository not found on the forge, or not visible to this token", Fault.LASTING),
    ("couldn't find remote ref", "branch or pull request not found", Fault.GONE),
    ("not our ref", "commit not found on the forge", Fault.GONE),
    (
        "fsck error",
        "the repository holds objects that git considers malformed or harmful",
        Fault.LASTING,
    ),
    ("File size limit", "the repository is larger than the limit", Fault.LASTING),
    ("signal 25", "the repository is larger than the limit", Fault.LASTING),
    ("error: 30", "the forge redirects elsewhere, and redirects are not followed", Fault.LASTING),
)


def _refusal(done: Completed, url: str, token: str) -> RemoteError:
    text = words_of(done, 4)
    if token:
        text = text.replace(token, "***")
    known = ((reason, fault) for sign, reason, fault in _REASONS if sign in text)
    reason, fault = next(known, (text, Fault.PASSING))
    return RemoteError(f"cannot fetch from {display_url(url)}: {reason}", fault)
