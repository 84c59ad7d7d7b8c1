"""Objects of one git repository, read one after the other by a git that stays."""

from __future__ import annotations

import contextlib
import subprocess
import threading

from generator.core.errors import UserError
from generator.git.command import Git


class Objects:
    """Blobs by their ids; safe to use from several threads. Whoever makes one closes it."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def read(self, oid: str, *, max_size: int) -> bytes | None:
        """The content of a blob, or None for one beyond `max_size` bytes.

        Raises UserError for an id that is missing or no blob.
        """
        with self._lock:
            try:
                return self._ask(oid, max_size)
            except (OSError, ValueError) as error:
                self._end()
                raise UserError(f"git ended while it read {oid}") from error

    def close(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            self._end()

    def _ask(self, oid: str, max_size: int) -> bytes | None:
        if self._process is None:
            self._process = self._git.start("cat-file", "--batch")
        requests, answers = self._process.stdin, self._process.stdout
        assert requests is not None and answers is not None
        requests.write(f"{oid}\n".encode())
        requests.flush()
        header = answers.readline().decode().split()
        if len(header) != 3 or header[1] != "blob":
            self._end()
            raise UserError(f"git has no file content {oid}", hint="git fsck tells what is missing")
        size = int(header[2])
        if size > max_size:
            # What it would send now may be larger than this machine's memory.
            self._end()
            return None
        content = answers.read(size + 1)
        if len(content) != size + 1:
            raise ValueError("cut off")
        return content[:-1]

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        process.wait()
