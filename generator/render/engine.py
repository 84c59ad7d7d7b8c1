"""The two engines: Helm as a library, and a `helm` binary; both in a worker, both strict alike."""

from __future__ import annotations

import abc
import functools
import os
import re
import shutil
from pathlib import Path
from typing import ClassVar

from generator.chart import unread
from generator.chart.chart import ChartArchive, ChartError, open_chart
from generator.core import process
from generator.core.errors import UserError
from generator.render import clock, helm_notes, library
from generator.render.cache import RenderCache, whole_charts
from generator.render.failure import from_message, plain, suspects
from generator.render.lean import LeanCharts
from generator.render.output import result
from generator.render.request import Rendered, Renderer, RenderFailure, RenderRequest
from generator.render.worker import Answer, Limits
from generator.render.workers import Workers, site_folder

# pkg/chart/v2/util/validate_name.go; 63 is Kubernetes' ceiling for a label.
_RELEASE = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_KUBERNETES = re.compile(r"v?\d+\.\d+(\.\d+)?([-+][0-9A-Za-z.+-]+)?")
_API_VERSION = re.compile(r"[a-z0-9][a-z0-9.-]*(/[A-Za-z0-9]+){0,2}")
_MAX_RELEASE = 53
# `v3.19` is what Helm calls itself where `go install` built it.
_HELM_VERSION = re.compile(r"v\d+\.\d+\S*")

# What a render used up, by the kind of its answer.
_EXHAUSTED = {
    "timeout": "Helm did not finish within {limits.timeout:g} s and was stopped",
    "cpu": "Helm used more than {limits.cpu} s of processor time and was stopped",
    "memory": "Helm took more than {memory} MiB of memory and was stopped",
    "thread": (
        "Helm could not start another thread and was stopped: it is near its limit of {memory} MiB "
        "of memory, or this machine is at its limit of processes"
    ),
    "machine": "Helm was killed for lack of memory on this machine or in this container",
    "size": "the output is larger than {output} MiB",
}


class _Engine(abc.ABC):
    """What both engines share: the checks before, the workers, and the reading of their answers."""

    package: ClassVar[str]
    """What a worker imports from the installed packages."""

    def __init__(self, *, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.workers = Workers(self.limits, site_folder(self.package))

    @abc.abstractmethod
    def engine_version(self) -> str:
        """Names engine and version: part of every cache key."""

    @abc.abstractmethod
    def _answer(self, request: RenderRequest, chart: ChartArchive, *, second: bool) -> Answer:
        """Have a worker do it."""

    def render(self, request: RenderRequest) -> Rendered:
        """Render in a worker. A chart that does not render is a RenderFailure."""
        return self._render(request, second=False)

    def again(self, request: RenderRequest) -> Rendered:
        """Render what has been rendered before, in a later second where the chart shows the time.

        The chart's schema is not asked again.
        """
        if clock.is_read(request):
            clock.wait()
        return self._render(request, second=True)

    def _render(self, request: RenderRequest, *, second: bool) -> Rendered:
        if refusal := _refuse(request):
            return plain("request", refusal)
        try:
            chart = open_chart(request.chart, official=False)
            chart.check_kubernetes(request.kube_version)
        except ChartError as error:
            place = f"{error.place}: " if error.place else ""
            return plain("chart", f"{place}{error.message}", hint=error.hint)
        answer = self._answer(request, chart, second=second)
        if answer.kind:
            return _failure(answer, request, chart, self.limits)
        return result(answer.documents, answer.notes, request, chart, self.engine_version())


class SdkEngine(_Engine):
    """Helm as a library (helm-python-sdk): needs no binary."""

    package = library.PACKAGE

    def __init__(self, *, limits: Limits | None = None) -> None:
        super().__init__(limits=limits)
        self._lean = LeanCharts(RenderCache.from_environment())

    def engine_version(self) -> str:
        """Such as `helm-python-sdk 0.2.2`, whose wheel contains one exact Helm."""
        return library.version()

    def _answer(self, request: RenderRequest, chart: ChartArchive, *, second: bool) -> Answer:
        values = request.values_json()
        small = None
        if not (whole_charts(os.environ) or unread.may_read_files(values)):
            small = self._lean.find(chart, schema=not second)
        return self.workers.run(
            {
                "engine": "sdk",
                "chart": str(small or request.chart.absolute()),
                "values": values,
                "options": {
                    "name": request.release,
                    "namespace": request.namespace,
                    "kube_version": request.kube_version,
                    "api_versions": list(request.api_versions),
                },
                "crds": request.include_crds,
                "notes": f"{chart.name}/{helm_notes.NOTES}",
            }
        )


class BinaryEngine(_Engine):
    """A `helm` binary, for exact parity with the Helm that a given Argo CD brings."""

    package = "yaml"

    def __init__(self, helm: Path, *, limits: Limits | None = None) -> None:
        super().__init__(limits=limits)
        self.helm = helm.absolute()
        self.engine_version()

    @classmethod
    def find(cls, helm: str) -> BinaryEngine:
        """The engine for a program name on PATH, or for a path. Raises UserError."""
        path = shutil.which(helm)
        if path is None:
            raise UserError(
                f"helm binary `{helm}` not found",
                hint="install Helm, give its path, or leave the setting out to use the built-in",
            )
        return cls(Path(path))

    @functools.cache  # noqa: B019 (engines live as long as the process)
    def engine_version(self) -> str:
        """Such as `helm v4.1.0`. Raises UserError when the binary is not Helm."""
        try:
            done = process.run([self.helm, "version", "--template={{.Version}}"], env={"HOME": "/"})
            match = _HELM_VERSION.match(done.stdout.decode("utf-8", "replace"))
        except process.CommandError:
            match = None
        if match is None:
            raise UserError(f"{self.helm} is not a helm binary that runs here")
        return f"helm {match[0]}"

    def _answer(self, request: RenderRequest, chart: ChartArchive, *, second: bool) -> Answer:
        archive, files = str(request.chart.absolute()), {}
        if noted := helm_notes.with_notes(chart):
            archive = "chart.tgz"
            files[archive] = noted
        argv = [str(self.helm), "template", request.release, archive]
        argv += ["--namespace", request.namespace]
        for number, text in enumerate(request.value_files or (request.values_json(),)):
            name = f"values-{number}.yaml"
            files[name] = text.encode()
            argv += ["--values", name]
        argv += ["--kube-version", request.kube_version, "--skip-tests"]
        argv += [f"--api-versions={version}" for version in request.api_versions]
        argv += ["--include-crds"] if request.include_crds else []
        return self.workers.run({"engine": "binary", "argv": argv}, files)


def _refuse(request: RenderRequest) -> str:
    """What is wrong with the request itself; the library would let all of it pass."""
    release = request.release
    if len(release) > _MAX_RELEASE or not _RELEASE.fullmatch(release):
        return (
            f"invalid release name `{release[:80]}`: at most {_MAX_RELEASE} lower-case letters, "
            "digits, `-` and `.`, starting and ending with a letter or digit"
        )
    if not _NAMESPACE.fullmatch(request.namespace):
        return f"invalid namespace `{request.namespace[:80]}`: it must be a DNS label"
    if not _KUBERNETES.fullmatch(request.kube_version):
        return f"invalid Kubernetes version `{request.kube_version[:80]}`: write it like 1.34.2"
    wrong = [name for name in request.api_versions if not _API_VERSION.fullmatch(name)]
    return f"invalid API version `{wrong[0][:80]}`: write it like keda.sh/v1alpha1" if wrong else ""


def _failure(
    answer: Answer, request: RenderRequest, chart: ChartArchive, limits: Limits
) -> RenderFailure:
    if answer.kind in ("helm", "yaml"):
        return from_message(answer.message, request, chart)
    hint = suspects(request.values)
    if message := _EXHAUSTED.get(answer.kind):
        text = message.format(limits=limits, memory=limits.memory >> 20, output=limits.output >> 20)
        return plain("limit", text, hint=hint)
    return plain("engine", answer.message, hint=hint)


def choose_engine(helm: str | None) -> Renderer:
    """The engine to render with: the library, or the `helm` binary of that name or path.

    Where the library is not installed, the binary on PATH (GEN_ENV_HELM) serves. Raises UserError
    when there is neither, or the binary is not Helm.
    """
    if helm:
        return BinaryEngine.find(helm)
    if library.is_installed():
        return SdkEngine()
    program = os.environ.get("GEN_ENV_HELM", "helm")
    if shutil.which(program) is None:
        raise UserError(
            f"nothing renders here: neither Helm's library nor the program {program} is installed",
            hint="install helm, or gen-env with its library: gen-env[helm]",
        )
    return BinaryEngine.find(program)
