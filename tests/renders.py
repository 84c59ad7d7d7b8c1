"""Helm's answers, shared by the tests of a run: the same job is rendered once.

A test that renders the same job twice gets two answers, as what is random must differ.
"""

import collections
import dataclasses
import hashlib
import json
import os
from pathlib import Path

from generator.render.worker import Answer
from generator.render.workers import Workers


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
        chart = hashlib.sha256(Path(job["chart"]).read_bytes()).hexdigest()
        text = json.dumps(
            [{**job, "chart": chart}, dataclasses.asdict(workers.limits)], sort_keys=True
        )
        key = hashlib.sha256(text.encode()).hexdigest()
        self._times[key] += 1
        file = self._folder / f"{key}-{self._times[key]}.json"
        if file.exists():
            documents, notes = json.loads(file.read_text("utf-8"))
            return Answer(tuple((name, document) for name, document in documents), notes)
        answer = self._render(workers, job, files)
        if not answer.kind:
            self._folder.mkdir(exist_ok=True)
            part = file.with_suffix(f".{os.getpid()}")
            part.write_text(json.dumps([answer.documents, answer.notes]), "utf-8")
            part.replace(file)
        return answer
