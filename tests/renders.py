"""Helm's answers, shared by the tests of a run: the same job is rendered once.

A test that renders the same job again gets a few answers in turns, as what is random must differ.
What has no answer yet is asked of a worker that outlives the test: to start one takes half as long
as a render.
"""

import collections
import dataclasses
import functools
import hashlib
import json
import os
import threading
from pathlib import Path

from generator.render.worker import Answer
from generator.render.workers import Workers, site_folder

_ANSWERS = 5  # more than one command asks for
_RENDERS = 100  # by one worker; more than users' ones serve, which see larger charts


@functools.lru_cache(maxsize=2)
def _warm(_chart, limits):
    """The workers of a chart with its schema, or without: a validation takes turns of them."""
    return Workers(limits, site_folder("helm_python"), renders=_RENDERS)


class SharedAnswers:
    """Stands in front of `Workers.run` in one test; `folder` is shared by all tests."""

    def __init__(self, folder):
        self._folder = folder
        self._render = Workers.run
        self._times = collections.Counter()

    def answer(self, workers, job, files=None):
        """What `workers` answer to a job, now or at another time in this run."""
        if job["engine"] != "sdk":
            return self._render(workers, job, files)
        data = Path(job["chart"]).read_bytes()
        chart = hashlib.sha256(data).hexdigest()
        text = json.dumps(
            [{**job, "chart": chart}, dataclasses.asdict(workers.limits)], sort_keys=True
        )
        key = hashlib.sha256(text.encode()).hexdigest()
        self._times[key] += 1
        file = self._folder / f"{key}-{self._times[key] % _ANSWERS}.json"
        if file.exists():
            documents, notes = json.loads(file.read_text("utf-8"))
            return Answer(tuple((name, document) for name, document in documents), notes)
        archive = self._kept(f"{chart}.tgz", data)
        answer = self._render(_warm(chart, workers.limits), {**job, "chart": str(archive)}, files)
        if not answer.kind:
            self._kept(file.name, json.dumps([answer.documents, answer.notes]).encode())
        return answer

    def _kept(self, name, data):
        """A file of the shared folder; whoever writes it at the same time writes the same."""
        file = self._folder / name
        if not file.exists():
            self._folder.mkdir(exist_ok=True)
            part = file.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
            part.write_bytes(data)
            part.replace(file)
        return file
