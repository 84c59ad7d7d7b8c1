"""What is being adopted, where it will live, and the chart that it runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from generator.adoption.source import Original, read_original
from generator.chart import traits_cache
from generator.chart.chart import ChartArchive
from generator.chart.traits import ChartTraits
from generator.core.errors import UserError
from generator.core.files import Files, Overlay
from generator.definition import definition
from generator.definition.definition import FILE_NAME, ROOT, SETTINGS, Settings
from generator.helmvalues.values import ValuesInput, merged
from generator.kube.fields import section
from generator.model.environment import Engine
from generator.model.repository import Cluster
from generator.pipeline.generate import Charts
from generator.release import chart_lines
from generator.render.request import RenderRequest
from generator.tree import catalogue
from generator.yaml import edit


@dataclasses.dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for on the command line; None is to be found out."""

    name: str
    cluster: str | None = None
    tier: str | None = None
    chart: str | None = None
    release: str | None = None
    namespace: str | None = None
    fields: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    secrets_elsewhere: bool = False


@dataclasses.dataclass(frozen=True)
class Subject:
    """One release on its way: the wish, the original, and everything around it."""

    files: Files
    settings: Settings
    options: Options
    original: Original
    cluster_name: str
    archive: ChartArchive
    charts: Charts

    @property
    def traits(self) -> ChartTraits | None:
        """What its chart does with keys, where that is another one than gen-env writes for."""
        if not chart_lines.needs_traits(self.archive.version):
            return None
        return traits_cache.traits(self.archive)

    @property
    def engine(self) -> Engine:
        """What applies the environment from now on."""
        return _engine(self.settings, self.options, self.cluster_name)

    @property
    def kept_names(self) -> dict[str, str]:
        """Names and Helm's namespace as they were, where gen-env would choose others."""
        names = _kept_names(self.settings, self.options, self.original, self.engine)
        if self.engine != "flux" or not self.original.helm_release:
            return names
        own = self.original.source.namespace
        spec = section(self.original.helm_release, "spec")
        storage = str(spec.get("storageNamespace") or self.original.owner.namespace)
        return {**names, **({"storageNamespace": storage} if storage != own else {})}

    @property
    def path(self) -> str:
        """The definition, relative to the repository."""
        return f"{ROOT}/{self.options.name}/{FILE_NAME}"

    @property
    def cluster(self) -> Cluster:
        """Where it runs, from gen-env.yaml."""
        return self.settings.repository.clusters[self.cluster_name]

    def input(self, user: Mapping[str, Any]) -> ValuesInput:
        """Some user's values as the checks see them."""
        source, defaults = self.original.source, self.archive.values()
        return ValuesInput(
            user=user,
            merged=merged(defaults, user),
            chart_version=self.archive.version,
            engine=source.engine,
            release=source.release,
            namespace=source.namespace,
            kube_version=self.cluster.kubernetes_version,
            locate=source.locate,
            defaults=defaults,
            traits=traits_cache.traits(self.archive),
        )

    def request(self, values: Mapping[str, Any]) -> RenderRequest:
        """A render of the release as the cluster would get it."""
        return RenderRequest(
            chart=self.archive.path,
            release=self.original.source.release,
            namespace=self.original.source.namespace,
            values=values,
            kube_version=self.cluster.kubernetes_version,
            api_versions=tuple(sorted(self.cluster.api_versions)),
        )


def read(files: Files, paths: Sequence[Path], options: Options, charts: Charts) -> Subject:
    """The release in these files; raises UserError for what cannot become this environment."""
    settings = _settings(files, options)
    taken = read_original(paths)
    source = dataclasses.replace(
        taken.source,
        release=options.release or taken.source.release,
        namespace=options.namespace or taken.source.namespace,
    )
    taken = dataclasses.replace(taken, source=source)
    cluster = _cluster(settings, options, taken)
    engine = _engine(settings, options, cluster)
    if engine == "flux":
        _require_flux(taken)
    archive = _archive(options, taken, charts)
    files, settings = _allowing(files, settings, _kept_names(settings, options, taken, engine))
    return Subject(files, settings, options, taken, cluster, archive, charts)


def _kept_names(
    settings: Settings, options: Options, taken: Original, engine: Engine
) -> dict[str, str]:
    owner = taken.owner
    if engine == "flux":
        there = owner.namespace == settings.repository.flux.namespace
        usual = f"airflow-{options.name.replace('/', '-')}"
        stays = owner.kind == "HelmRelease" and there and owner.name != usual
        return {"application": owner.name} if stays else {}
    if owner.kind != "Application":
        return {}
    team, _, last = options.name.rpartition("/")
    name = options.name.replace("/", "-")
    pattern = settings.repository.argocd.project.name
    usual = pattern.replace("{team}", team or last).replace("{environment}", name)
    kept = {}
    if owner.name and owner.name != f"airflow-{name}":
        kept["application"] = owner.name
    if owner.project and owner.project != usual:
        kept["project"] = owner.project
    return kept


def _allowing(files: Files, settings: Settings, kept: Mapping[str, str]) -> tuple[Files, Settings]:
    """The files with the kept names allowed in gen-env.yaml, and the settings that they give."""
    text = settings.document.text
    allowed = settings.repository.argocd.adopted
    known = {"application": allowed.applications, "project": allowed.projects}
    for field, name in kept.items():
        if name not in known[field]:
            place = ("argocd", "adopted", f"{field}s")
            text = edit.set_value(text, place, [*known[field], name], file=SETTINGS)
    if text == settings.document.text:
        return files, settings
    loaded, problems = definition.load_settings(text.encode())
    if loaded is None:
        raise UserError.of(problems[0])
    return Overlay(files, {SETTINGS: text.encode()}), loaded


def _settings(files: Files, options: Options) -> Settings:
    found = catalogue.load(files)
    faults = list(definition.name_faults(options.name))
    if faults:
        raise UserError(f"'{options.name}' is not a valid environment name: {faults[0]}")
    if found.settings is None:
        problem = found.problems[0]
        raise UserError.of(problem)
    path = f"{ROOT}/{options.name}/{FILE_NAME}"
    if files.read(path) is not None:
        raise UserError(
            f'environment "{options.name}" already exists', path=path, hint="choose another --name"
        )
    return found.settings


def _cluster(settings: Settings, options: Options, taken: Original) -> str:
    known = settings.repository.clusters
    names = ", ".join(sorted(known)) or "none"
    if options.cluster is not None:
        if options.cluster not in known:
            hint = f"known clusters: {names}"
            raise UserError(f"cluster '{options.cluster}' not found in {SETTINGS}", hint=hint)
        return options.cluster
    owner = taken.owner
    for name, cluster in sorted(known.items()):
        if owner.server and cluster.server.rstrip("/") == owner.server.rstrip("/"):
            return name
    if owner.cluster in known:
        return owner.cluster
    target = owner.server or owner.cluster
    if len(known) == 1 and not target:
        return next(iter(known))
    where = f"the Application deploys to {target}, which" if target else "the cluster"
    raise UserError(
        f"{where} is not defined in {SETTINGS}",
        hint=f"add it below clusters:, or give --cluster; known: {names}",
    )


def _engine(settings: Settings, options: Options, cluster: str) -> Engine:
    """What `--set engine=` says, else gen-env.yaml for the cluster, or for the repository."""
    repository = settings.repository
    named = options.fields.get("engine") or repository.clusters[cluster].engine or repository.engine
    return "flux" if named == "flux" else "argocd"


def _require_flux(taken: Original) -> None:
    """Raise UserError for a release that Flux cannot take over as it is, or that is not known."""
    if taken.owner.kind == "Application":
        raise UserError(
            "Flux cannot take over what Argo CD applied: it makes no Helm release",
            path=taken.source.path,
            hint="adopt it with --set engine=argocd, and change the engine afterwards",
        )
    metadata, spec = (section(taken.helm_release, part) for part in ("metadata", "spec"))
    if taken.helm_release and not metadata.get("namespace"):
        raise UserError(
            "the HelmRelease has no metadata.namespace: where Helm keeps its records is not known",
            path=taken.source.path,
            hint="write the namespace that it has in the cluster",
        )
    if spec.get("kubeConfig"):
        raise UserError(
            "spec.kubeConfig deploys to another cluster than that of this Flux",
            path=taken.source.path,
            hint="gen-env's HelmReleases are for the cluster in which Flux runs",
        )


def _version(options: Options, taken: Original) -> str:
    """The chart version that runs; raises UserError where nothing says it, or two things do."""
    named = taken.source.chart_version
    if options.chart and named and options.chart != named:
        raise UserError(
            f"the release names chart {named}, and --chart says {options.chart}",
            path=taken.source.path,
            hint="leave --chart out; move to another version after the adoption: gen-env upgrade",
        )
    if named or options.chart:
        return named or options.chart or ""
    asked = taken.source.parent.range if taken.source.parent else ""
    what = f"`{asked}` is a range" if asked else "no file names the chart version"
    raise UserError(
        f"{what}: the running version is unknown",
        path=taken.source.path,
        hint="give the version that runs: --chart VERSION (helm list -n NAMESPACE shows it)",
    )


def _archive(options: Options, taken: Original, charts: Charts) -> ChartArchive:
    version = _version(options, taken)
    if chart_lines.line_for(version) is None:
        raise UserError(
            f"this release runs chart {version}, not a version of the official chart that"
            " gen-env supports",
            path=taken.source.path,
            hint="gen-env takes over releases of the chart of apache/airflow, versions 1.x",
        )
    archive = charts.find(version, None)
    if archive is None:
        raise UserError(
            f"{charts.missing(version)}, and the adoption cannot be verified without it",
            hint=f"gen-env chart pull {version}, or gen-env chart add FILE.tgz",
        )
    return archive
