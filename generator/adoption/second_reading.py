"""What both sides of an adoption are, read a second time: from the user's files and from the tree.

The proof is held against this reading, so it shares no code with the first: PyYAML reads the text,
scalars become what go-yaml v2 (Helm, Argo CD) makes of them, and every field that this reading does
not understand is named in `not_read`.
"""

from __future__ import annotations

import base64
import dataclasses
import gzip
import json
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from generator.adoption.helm_yaml import loads, objects
from generator.adoption.raw_release import (
    Data,
    Release,
    address_of,
    as_map,
    dependencies,
    exact,
    lacks_airflow,
    own_repository,
    own_version,
    parameters,
    repository,
)
from generator.core.basis import NotRead
from generator.git.clone import Clone

_IMAGE_UPDATER = "argocd-image-updater.argoproj.io/"
_HEADING = re.compile(r"\A\s*(USER-SUPPLIED|COMPUTED) VALUES:.*\n?")
_MAX_FOLDER = 32 * 1024 * 1024
_SOURCE = frozenset({"repoURL", "chart", "path", "targetRevision", "ref", "name", "helm"})
_HELM = frozenset({
    *("valueFiles", "values", "valuesObject", "parameters", "releaseName", "namespace"),
    *("kubeVersion", "apiVersions", "ignoreMissingValueFiles", "skipSchemaValidation"),
    *("version", "passCredentials", "skipCrds", "skipTests"),
})  # fmt: skip
_APPLICATION = frozenset({
    *("project", "destination", "source", "sources", "syncPolicy", "ignoreDifferences", "info"),
    "revisionHistoryLimit",
})  # fmt: skip
# What changes when and as whom Flux applies the objects, but not the objects.
_HELM_RELEASE = frozenset({
    *("chart", "chartRef", "releaseName", "targetNamespace", "values", "valuesFrom", "interval"),
    *("timeout", "maxHistory", "suspend", "persistentClient", "install", "upgrade", "rollback"),
    *("uninstall", "test", "driftDetection", "storageNamespace", "waitStrategy", "healthChecks"),
    *("healthCheckExprs", "dependsOn", "serviceAccountName"),
})  # fmt: skip
_KUSTOMIZATION = frozenset({
    *("apiVersion", "kind", "metadata", "resources", "configMapGenerator", "secretGenerator"),
    "generatorOptions",
})  # fmt: skip
_FLUX_CHART = frozenset({
    *("chart", "version", "sourceRef", "interval", "reconcileStrategy", "verify"),
    *("ignoreMissingValuesFiles", "suspend", "accessFrom"),
})  # fmt: skip


def original(
    paths: Sequence[Path], release: str | None = None, namespace: str | None = None
) -> Release:
    """The release in the user's files; `release` and `namespace` overrule what they say.

    Raises ValueError for text that PyYAML cannot read.
    """
    side = _Reading(paths).release()
    return dataclasses.replace(
        side, name=release or side.name, namespace=namespace or side.namespace
    )


class _Reading:
    """The user's files: the one that describes the release, and values that come from elsewhere."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = [path.resolve() for path in paths]
        self._texts = {path: _text(path) for path in self._paths}
        self._documents = {path: objects(loads(text)) for path, text in self._texts.items()}
        self._root = _root(self._paths[0].parent)
        self._clone = Clone(self._root)
        self.not_read: list[NotRead] = []

    def release(self) -> Release:
        """The only Application, HelmRelease or record among the files, else plain values."""
        for path in self._paths:
            for data in self._documents[path]:
                kind = data.get("kind") if isinstance(data, Mapping) else None
                self._more = [other for other in self._paths if other != path]
                if kind == "Application":
                    return self._done(self._application(path, data))
                if kind == "HelmRelease":
                    return self._done(self._helm_release(path, data))
                if kind == "Secret" and data.get("type") == "helm.sh/release.v1":
                    return self._done(self._record(path, data))
        return self._done(self._plain())

    def _done(self, release: Release) -> Release:
        self._leave(self._more, "no part of the release names it")
        return dataclasses.replace(release, not_read=tuple(self.not_read))

    def _miss(self, what: str, path: Path | None, reason: str) -> None:
        where = str(path.relative_to(self._root)) if path else ""
        self.not_read.append(NotRead(what, where, reason))

    def _leave(self, paths: Sequence[Path], reason: str) -> None:
        for path in paths:
            self._miss("file", path, reason)

    def _unknown(self, data: Data, known: frozenset[str], path: Path, prefix: str) -> None:
        for key, value in data.items():
            if key not in known and value not in (None, "", False, {}, []):
                self._miss(f"{prefix}{key}", path, "the second reading does not know this field")

    def _elsewhere(self, what: str, place: Path, source: Data, path: Path) -> None:
        """Name what is read here although the source gives another repository or revision."""
        name = place.relative_to(self._root).as_posix()
        revision = str(source.get("targetRevision") or "")
        if reason := self._clone.differs(name, str(source.get("repoURL") or ""), revision):
            self._miss(what, path, reason)

    def _kustomization(self, path: Path) -> None:
        """Name a Kustomization that lists a file of its folder, or gives it to a chart."""
        for name in ("kustomization.yaml", "kustomization.yml", "Kustomization"):
            place = path.parent / name
            if place.is_file() and place != path and path.name in _text(place):
                data = as_map(next(iter(loads(_text(place))), None))
                for key in sorted(set(data) - _KUSTOMIZATION):
                    self._miss(f"{key} of the Kustomization", place, f"it may change {path.name}")

    def _plain(self) -> Release:
        self._more = []
        for path in self._paths:
            self._kustomization(path)
        for path in self._paths:
            if len(self._documents[path]) > 1:
                self._miss("documents after the first", path, "Helm reads only the first")
        folder = self._chart(self._paths[0].parent)
        top = [data for path in self._paths for data in self._documents[path][:1]]
        if not folder and any(isinstance(as_map(data).get("airflow"), Mapping) for data in top):
            reason = "no Chart.yaml beside it says which chart hands the block `airflow:` down"
            self._miss("parent chart", self._paths[0], reason)
        texts = tuple(self._texts[path] for path in self._paths)
        version = own_version(folder)
        address = own_repository(folder)
        return Release("airflow", "airflow", version, texts, folder=folder, repository=address)

    def _record(self, path: Path, data: Data) -> Release:
        packed = base64.b64decode(base64.b64decode(str(as_map(data.get("data")).get("release"))))
        record = json.loads(gzip.decompress(packed))
        about = as_map(as_map(record.get("chart")).get("metadata"))
        if about.get("name") != "airflow":
            self._miss(f"chart {about.get('name')}", path, "the record is of another chart")
        return Release(
            str(record.get("name")),
            str(record.get("namespace")),
            exact(about.get("version")),
            (json.dumps(record.get("config") or {}),),
        )

    def _application(self, path: Path, data: Data) -> Release:
        metadata, spec = as_map(data.get("metadata")), as_map(data.get("spec"))
        self._unknown(spec, _APPLICATION, path, "spec.")
        self._kustomization(path)
        if any(str(key).startswith(_IMAGE_UPDATER) for key in as_map(metadata.get("annotations"))):
            self._miss("images", path, "Argo CD Image Updater sets parameters of its own")
        sources = [as_map(item) for item in spec.get("sources") or [spec.get("source")]]
        refs = {str(item["ref"]): item for item in sources if item.get("ref")}
        charts = []
        for item in sources:
            if not self._is_only_ref(item):
                folder = self._chart(self._root / str(item["path"]), path) if "path" in item else {}
                charts.append((item, folder))
        ours = [row for row in charts if self._deploys_airflow(*row)]
        for item, _ in charts:
            if len(ours) != 1 or item is not ours[0][0]:
                name = item.get("chart") or item.get("path") or item.get("repoURL")
                self._miss(f"source {name}", path, "another source: its objects are not compared")
        source, folder = ours[0] if ours else ({}, {})
        self._unknown(source, _SOURCE, path, "source.")
        helm = as_map(source.get("helm"))
        self._unknown(helm, _HELM, path, "source.helm.")
        if folder:
            place = self._root / str(source["path"])
            self._elsewhere(f"chart of path {source['path']}", place, source, path)
            for name in sorted(folder):
                if name.startswith(".argocd-source"):
                    self._miss(f"file {name}", place, "Argo CD merges it into the source")
        for row in parameters(helm.get("parameters")):
            if "$" in row.value:
                self._miss(f"parameter {row.name}", path, "Argo CD fills in what follows `$`")
        # Argo CD ignores `values` where `valuesObject` is set (ApplicationSourceHelm.ValuesYAML).
        inline = helm.get("valuesObject")
        text = json.dumps(inline) if inline else str(helm.get("values") or "")
        return Release(
            str(helm.get("releaseName") or metadata.get("name")),
            str(helm.get("namespace") or as_map(spec.get("destination")).get("namespace")),
            own_version(folder) or exact("" if folder else source.get("targetRevision")),
            (*self._value_files(source, helm, refs, path), *([text] if text else [])),
            tuple(parameters(helm.get("parameters"))),
            folder,
            str(helm.get("kubeVersion") or ""),
            tuple(str(item) for item in helm.get("apiVersions") or ()),
            repository=repository(source) or own_repository(folder),
            application=data,
        )

    def _is_only_ref(self, source: Data) -> bool:
        return bool(source.get("ref")) and not source.get("path") and not source.get("chart")

    def _deploys_airflow(self, source: Data, folder: Mapping[str, bytes]) -> bool:
        if source.get("chart"):
            return str(source["chart"]).rpartition("/")[2] == "airflow"
        return bool(folder)

    def _value_files(
        self, source: Data, helm: Data, refs: Mapping[str, Data], path: Path
    ) -> Iterator[str]:
        for item in helm.get("valueFiles") or ():
            place = self._place(str(item), source, refs)
            if place is not None and place.is_file():
                origin = refs.get(str(item)[1:].partition("/")[0], source)
                self._elsewhere(f"values file {item}", place, origin, path)
                yield _text(place)
            elif place is None or not helm.get("ignoreMissingValueFiles"):
                yield from self._given(f"values file {item}", path)

    def _place(self, name: str, source: Data, refs: Mapping[str, Data]) -> Path | None:
        """Where a values file would stand in this repository; None for one from elsewhere."""
        ref, _, rest = name[1:].partition("/")
        if name.startswith("$") and ref in refs:
            path = rest
        elif not source.get("path") or "://" in name or name.startswith("$"):
            return None
        else:
            path = posixpath.join(str(source["path"]), name) if name[0] != "/" else name[1:]
        place = self._root / posixpath.normpath(path)
        return place if place.is_relative_to(self._root) else None

    def _given(self, what: str, path: Path) -> Iterator[str]:
        """The next file that stands for values from elsewhere."""
        if self._more:
            yield self._texts[self._more.pop(0)]
        else:
            self._miss(what, path, "it is not in this repository and no file was given for it")

    def _helm_release(self, path: Path, data: Data) -> Release:
        metadata, spec = as_map(data.get("metadata")), as_map(data.get("spec"))
        self._unknown(spec, _HELM_RELEASE, path, "spec.")
        self._kustomization(path)
        for step in ("install", "upgrade"):
            for key in ("disableHooks", "preserveValues"):
                if as_map(spec.get(step)).get(key) not in (None, False):
                    self._miss(f"spec.{step}.{key}", path, "it changes what the cluster is given")
        target, name = spec.get("targetNamespace"), str(metadata.get("name"))
        self._namespace = metadata.get("namespace")
        rows = spec.get("valuesFrom") or []
        if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
            self._miss("spec.valuesFrom", path, "it is not a list of mappings")
            rows = []
        texts = [text for row in rows for text in self._row(row, path)]
        values = [json.dumps(spec["values"])] if spec.get("values") else []
        version, folder, address = self._flux_chart(spec, path)
        release = str(spec.get("releaseName") or (f"{target}-{name}" if target else name))
        if len(release) > 53:
            self._miss("release name", path, "Flux shortens names of more than 53 characters")
        namespace = str(target or metadata.get("namespace") or "airflow")
        return Release(
            release,
            namespace,
            version,
            (*texts, *values),
            folder=folder,
            repository=address,
            application=data,
        )

    def _row(self, row: Data, path: Path) -> Iterator[str]:
        """The text of one `valuesFrom` entry."""
        kind, name, key = row.get("kind"), row.get("name"), row.get("valuesKey") or "values.yaml"
        if row.get("targetPath"):
            self._miss(f"{kind} {name}", path, "a single value goes to targetPath")
            return
        for place, documents in self._documents.items():
            for item in map(as_map, documents):
                if self._is(item, kind, name):
                    self._more = [other for other in self._more if other != place]
                    if kind == "ConfigMap" and key in as_map(item.get("data")):
                        yield str(item["data"][key])
                    else:
                        self._miss(f"{kind} {name}", place, f"it does not hold {key} as text")
                    return
        yield from self._given(f"values of {kind} {name}", path)

    def _flux_chart(self, spec: Data, path: Path) -> tuple[str, Mapping[str, bytes], str]:
        """The version, the folder or the repository of the chart, as far as this file says."""
        chart = as_map(as_map(spec.get("chart")).get("spec"))
        reference = as_map(spec.get("chartRef"))
        if reference:
            there = self._beside(path, reference)
            if there is None:
                self._miss(f"chartRef {reference.get('name')}", path, "it is not in this file")
                return "", {}, ""
            if reference.get("kind") == "OCIRepository":
                source = as_map(there.get("spec"))
                ref = as_map(source.get("ref"))
                open_version = ref.get("digest") or ref.get("semver")
                version = "" if open_version else exact(ref.get("tag"))
                return version, {}, self._address(reference, there, path).removesuffix("/airflow")
            chart = as_map(there.get("spec"))
        self._unknown(chart, _FLUX_CHART, path, "chart.")
        if as_map(chart.get("sourceRef")).get("kind") in ("GitRepository", "Bucket"):
            place = self._root / posixpath.normpath(str(chart.get("chart")))
            folder = self._chart(place, path)
            if folder:
                self._git_source(as_map(chart.get("sourceRef")), place, path)
            return own_version(folder), folder, own_repository(folder)
        if str(chart.get("chart")).rpartition("/")[2] != "airflow":
            self._miss(f"chart {chart.get('chart')}", path, "its name is not airflow")
        reference = as_map(chart.get("sourceRef"))
        address = self._address(reference, self._beside(path, reference), path)
        return exact(chart.get("version")), {}, address

    def _address(self, reference: Data, source: Data | None, path: Path) -> str:
        """The URL that a source of Flux gives; without it nothing says which archive runs."""
        address = str(as_map((source or {}).get("spec")).get("url") or "")
        if not address:
            reason = "which archive it gives is not known: add it with its url to this file"
            name = f"{reference.get('kind')} {reference.get('name')}" if reference else "the chart"
            self._miss(f"address of {name}", path, reason)
        return address_of(address)

    def _git_source(self, reference: Data, place: Path, path: Path) -> None:
        """Compare the chart's folder with the GitRepository that the release names."""
        spec = as_map((self._beside(path, reference) or {}).get("spec"))
        ref = as_map(spec.get("ref"))
        revision = next((ref[key] for key in ("commit", "name", "tag", "branch") if key in ref), "")
        if "semver" in ref or reference.get("kind") != "GitRepository" or not spec:
            reason = f"it is read here, and what {reference.get('name')} gives is not known"
            self._miss(f"chart of path {place.name}", path, reason)
            return
        source = {"repoURL": spec.get("url"), "targetRevision": revision or "master"}
        self._elsewhere(f"chart of path {place.name}", place, source, path)

    def _is(self, item: Data, kind: Any, name: Any, namespace: Any = None) -> bool:
        """Whether an object is the one of that name, in the namespace of the release or none."""
        metadata, wanted = as_map(item.get("metadata")), namespace or self._namespace
        there = metadata.get("namespace")
        named = (item.get("kind"), metadata.get("name")) == (kind, name)
        return named and (not there or not wanted or there == wanted)

    def _beside(self, path: Path, reference: Data) -> Data | None:
        """The object that a reference names, among those of the same file."""
        kind, name = reference.get("kind"), reference.get("name")
        for item in map(as_map, self._documents[path]):
            if self._is(item, kind, name, reference.get("namespace")):
                return item
        return None

    def _chart(self, folder: Path, named: Path | None = None) -> Mapping[str, bytes]:
        """The files of the chart in a folder; none where it holds no Chart.yaml."""
        if not (folder / "Chart.yaml").is_file():
            if named is not None:
                self._miss(f"chart of path {folder.name}", named, "its Chart.yaml is not here")
            return {}
        files = {
            path.relative_to(folder).as_posix(): path
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not path.is_symlink() and ".git" not in path.parts
        }
        if sum(path.stat().st_size for path in files.values()) > _MAX_FOLDER:
            self._miss("chart", folder / "Chart.yaml", "the folder is larger than 32 MiB")
            return {}
        content = {name: path.read_bytes() for name, path in files.items()}
        for item in dependencies(content):
            if str(item.get("repository") or "").startswith("file:"):
                name, reason = item.get("name"), "it is a copy of its own, in another folder"
                self._miss(f"dependency {name}", folder / "Chart.yaml", reason)
        if lacks_airflow(content) and not own_repository(content):
            reason = "which archive it is, is not known: Chart.yaml gives no URL of its repository"
            self._miss("address of dependency airflow", folder / "Chart.yaml", reason)
        return content


def _text(path: Path) -> str:
    return _HEADING.sub("", path.read_text("utf-8-sig"))


def _root(folder: Path) -> Path:
    """The repository that a folder stands in, or the folder."""
    return next((top for top in (folder, *folder.parents) if (top / ".git").exists()), folder)
