"""What a chart line offers: all that the rest of gen-env may ask about the chart of a release."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from generator.model.environment import Environment
from generator.model.repository import Cluster
from generator.model.secrets import ExtraSecret
from generator.release.secret import SecretNeed
from generator.release.setting import Key, Setting
from generator.release.topology import Flow, Names, Topology
from generator.render.nondeterminism import Pin

Values = Mapping[str, Any]
GroupKind = tuple[str, str]
"""API group and kind."""


@dataclasses.dataclass(frozen=True, slots=True)
class Renamed:
    """A key that still works and its replacement; `warned` if the chart says so itself.

    `reshaped` if the value changes its form with the name, to `form` in words; not `reversible`
    where a chart without the new key does something else with the old one.
    """

    old: str
    new: tuple[str, ...]
    warned: bool = True
    airflow3_only: bool = False
    reshaped: bool = False
    reversible: bool = True
    form: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class OldKeys:
    """Keys of the chart that are not, or will not be, what they seem.

    `defaults` that will change are key, meaning and hint; `without_effect` gives what does the
    same, `refused` a hint for what the schema does not take. `older` are names that charts used
    before the first that has the new one, and do not know any more or read in another way.
    """

    renamed: tuple[Renamed, ...]
    defaults: tuple[tuple[str, str, str], ...]
    without_effect: Mapping[str, str]
    refused: Mapping[str, str]
    older: tuple[Renamed, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ChartLine:
    """One table of chart knowledge. A chart with other keys is another table of this shape."""

    versions: tuple[str, ...]
    """Prefixes of the chart versions whose names the settings have."""

    settings: Callable[[Environment, Cluster], list[Setting]]
    """Every chart value that an environment decides, `values:` not yet merged."""
    http_route: Callable[[Environment, Cluster], Iterable[Setting]]
    """The settings of `gateway` for a chart that makes an HTTPRoute itself."""
    decided: Callable[[list[Setting]], dict[Key, str]]
    """Key → field of the settings that a field or a promise owns."""
    owner: Callable[[Key, Mapping[Key, str]], str | None]
    """The field that a key of the chart belongs to, in use or not, given what is decided."""
    closed: Callable[[Key, Mapping[Key, str]], str | None]
    """The field in use that closes a key of `values:`; None where it is free."""
    merged: Callable[[Environment, list[Setting]], dict[str, Any]]
    """The settings with `values:` over them, as Helm merges."""

    topology: Callable[[Values, frozenset[str], Environment], Topology]
    """What runs with merged values, and which of their names the chart reads as older ones."""
    names: Callable[[Values, str, str], Names]
    """Object names, from merged values, release and namespace."""
    workloads: Callable[[Topology], tuple[tuple[str, str], ...]]
    """Kind and name of the Deployments and StatefulSets."""
    flows: Callable[[Topology], tuple[Flow, ...]]
    """Who must talk to whom."""
    server_port: Callable[[Topology], tuple[str, int]]
    """Name and number of the port of the Service of UI and API."""
    needs: Callable[[Topology, Mapping[str, ExtraSecret]], tuple[SecretNeed, ...]]
    """The Secrets that are read, those of `secrets.extra` too."""
    restart_annotations: Callable[[Topology, Mapping[str, Mapping[str, str]]], list[Setting]]
    """Pod annotations by component as settings."""
    tls_secrets: Callable[[Environment], tuple[str, ...]]
    """Names of the Secrets with the ingress' certificates, none without TLS."""

    scraped: Callable[[Values], Sequence[tuple[str, int]]]
    """Name and number of the ports on which the chart's collector answers Prometheus."""
    ends_in_log: Callable[[Values, str], bool]
    """Whether the chart's collector only logs a signal (`traces`, `metrics`)."""
    mail_port: Callable[[Values], int]
    """Where Airflow reaches its mail server, or the service that sends its mail."""

    kinds: tuple[GroupKind, ...]
    """The namespaced kinds that the chart may render."""
    cluster_kinds: tuple[GroupKind, ...]
    """Kinds without a namespace, which it renders for `rbac.multiNamespace`."""
    pins: tuple[Pin, ...]
    """Fields that every render makes differently, and the values that pin them."""
    old_keys: OldKeys
