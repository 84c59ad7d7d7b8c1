"""The process in which Helm renders: reads jobs from standard input, answers each in JSON.

A values file can make Helm run for ever, take all memory or abort the process, so no render runs
in a process that anybody needs. A bare interpreter imports this module (it is given two folders to
import from and no more), so it imports next to nothing itself.

A job is one line of JSON. An answer is a line with its length and whether another job may come
(`more`) or this process ends (`last`), then the answer. Renders share nothing: each loads its chart
anew, because Helm changes a loaded chart as the values switch its dependencies on and off.
"""

from __future__ import annotations

import json
import os
import queue
import re
import signal
import sys
import threading
from pathlib import Path
from typing import Any

# As Helm splits what a template rendered (pkg/release/v1/util/manifest.go).
_SEPARATOR = re.compile(r"(?:^|\s*\n)---\s*")
_SOURCE = re.compile(r"# Source: (\S+)\n")
_MEMORY = "an allocation was refused"
_KIB = 1 if sys.platform == "darwin" else 1 << 10  # of ru_maxrss


def main() -> None:
    """Do the jobs on standard input, one after the other; what goes wrong is part of an answer."""
    # Nothing but answers may stand between answers.
    answers = os.dup(1)
    os.dup2(2, 1)
    jobs: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(jobs,), daemon=True).start()
    served, last = 0, False
    while not last:
        job = json.loads(jobs.get())
        served += 1
        data, fine = _answer(job)
        last = not fine or served >= job["renders"] or _is_large(job["limits"])
        _write(answers, b"%d %s\n" % (len(data), b"last" if last else b"more") + data)
    # Go's threads have nothing to finish; the regular way out only costs time.
    os._exit(0)


def _read(jobs: queue.SimpleQueue[bytes]) -> None:
    """Take jobs while others are done: the end of them is the end of who wants the answers."""
    for line in sys.stdin.buffer:
        jobs.put(line)
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


def _answer(job: dict[str, Any]) -> tuple[bytes, bool]:
    """The answer, and whether this process may serve on after it."""
    _limit(job["limits"])
    fine = False
    try:
        answer = _render_in_process(job) if job["engine"] == "sdk" else _render_with_binary(job)
        fine = True
    except _Refused as refusal:
        answer = _failure(refusal.kind, refusal.message)
    except _Crashed as crash:
        answer = json.dumps({"crash": {"status": crash.status, "stderr": crash.stderr}})
    except MemoryError:
        answer = _failure("memory", _MEMORY)
    data = answer.encode("utf-8", "replace")
    if len(data) > job["limits"]["output"]:
        return _failure("size", "").encode(), False
    return data, fine


def _is_large(limits: dict[str, int]) -> bool:
    """Whether a render has taken so much memory that the next one shall not begin with it."""
    return _peak() > limits["memory"] // 4


def _peak() -> int:
    """The most memory in bytes since this program started.

    Linux counts that of the process that forked it into ru_maxrss (man getrusage), so not there.
    """
    try:
        words = Path("/proc/self/status").read_text("ascii").split()
        return int(words[words.index("VmHWM:") + 1]) << 10
    except (OSError, ValueError, IndexError):
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB


def _write(answers: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(answers, view) :]


class _Refused(Exception):
    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


class _Crashed(Exception):
    """The binary died: its exit status or signal, and the start of what it wrote about it."""

    def __init__(self, status: int, stderr: str) -> None:
        super().__init__(status)
        self.status = status
        self.stderr = stderr


def _failure(kind: str, message: str) -> str:
    return json.dumps({"failure": {"kind": kind, "message": message}})


def _limit(limits: dict[str, int]) -> None:
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    # macOS refuses to bound memory; time and output stay bounded there.
    memory = ("RLIMIT_AS", "RLIMIT_DATA") if sys.platform != "linux" else ()
    for name, value in (
        ("RLIMIT_AS", limits["address_space"]),
        ("RLIMIT_DATA", limits["memory"]),
        # Of one render: what those before it took counts as well.
        ("RLIMIT_CPU", limits["cpu"] + int(used.ru_utime + used.ru_stime)),
        ("RLIMIT_FSIZE", limits["output"]),
        ("RLIMIT_CORE", 0),
    ):
        if name in memory:
            continue
        ceiling = resource.getrlimit(getattr(resource, name))[1]
        bound = value if ceiling == resource.RLIM_INFINITY else min(value, ceiling)
        hard = bound
        if name == "RLIMIT_CPU":
            # At the soft limit comes SIGXCPU, which tells why; at the hard one SIGKILL.
            hard, bound = ceiling, bound - (bound == ceiling)
        resource.setrlimit(getattr(resource, name), (bound, hard))


def _render_in_process(job: dict[str, Any]) -> str:
    from helm_python import _native
    from helm_python.errors import HelmError

    try:
        chart = _native.call_handle("helm_chart_load", job["chart"])
        options = json.dumps(job["options"])
        rendered = json.loads(_native.call_string("helm_render", chart, job["values"], options))
        crds = json.loads(_native.call_string("helm_chart_crds", chart)) if job["crds"] else []
        _native.call_status("helm_chart_free", chart)
    except HelmError as error:
        raise _Refused("helm", error.detail) from error
    texts = [(crd["filename"], crd["data"]) for crd in crds]
    texts += [(path, text) for path, text in rendered.items() if _is_manifest(path)]
    documents = []
    for path, text in texts:
        for document in _split(text):
            try:
                parsed = _native.call_string("helm_values_from_yaml", document)
            except HelmError as error:
                raise _Refused("yaml", f"YAML parse error on {path}: {error.detail}") from error
            documents.append(f"[{json.dumps(path)},{parsed}]")
    notes = json.dumps(rendered.get(job["notes"], ""))
    # What Helm parsed is passed on as text: decoding it here would double the work.
    return f'{{"notes":{notes},"documents":[{",".join(documents)}]}}'


def _is_manifest(path: str) -> bool:
    return not path.endswith("NOTES.txt") and not path.rpartition("/")[2].startswith("_")


def _split(text: str) -> list[str]:
    # Helm trims each document and ends it with one newline, which a literal block's value keeps.
    return [f"{part.strip()}\n" for part in _SEPARATOR.split(text) if part.strip()]


def _render_with_binary(job: dict[str, Any]) -> str:
    status = _spawn(job["argv"])
    if Path("stdout").stat().st_size >= job["limits"]["output"]:
        # Helm does not notice that it could not write all of it.
        raise _Refused("size", "")
    if status != 0:
        words = Path("stderr").read_text(encoding="utf-8", errors="replace")
        # Helm's own errors exit with 1; anything else is Go's runtime dying, with a long trace.
        raise _Refused("helm", words) if status == 1 else _Crashed(status, words[:8192])
    try:
        text = Path("stdout").read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise _Refused("yaml", "the output is not UTF-8") from error
    documents = [[_source(part), manifest] for part in _split(text) for manifest in _parse(part)]
    return json.dumps({"notes": "", "documents": documents})


def _spawn(argv: list[str]) -> int:
    create = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    pid = os.posix_spawn(
        argv[0],
        argv,
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, "stdout", create, 0o600),
            (os.POSIX_SPAWN_OPEN, 2, "stderr", create, 0o600),
        ],
    )
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _source(document: str) -> str:
    match = _SOURCE.search(document)
    return match[1] if match else ""


def _parse(document: str) -> Any:
    from generator.core.errors import UserError
    from generator.yaml.manifests import load_manifests

    try:
        return _as_json(load_manifests(document))
    except UserError as error:
        message = f"YAML parse error on {_source(document)}: {error.message}"
        raise _Refused("yaml", message) from error


def _as_json(value: Any) -> Any:
    """5.0 becomes 5, as it does on its way through Go's JSON."""
    if isinstance(value, dict):
        return {key: _as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return int(value)
    return value
