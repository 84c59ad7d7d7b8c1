"""Defaults that differ between two charts, and those that change what an environment runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from generator.actions.upgrades.change import Options
from generator.actions.upgrades.values import moves
from generator.chart import comparison, traits_cache
from generator.chart.chart import ChartError
from generator.chart.traits import ChartTraits
from generator.core.layered import lookup
from generator.definition.definition import Definition
from generator.lint.values.images import frozen
from generator.pipeline import generate
from generator.pipeline.generate import Built, Charts
from generator.redaction.names import holds_secret
from generator.release import adopted_settings
from generator.release.release import Release
from generator.release.setting import copied, overlay
from generator.render import normalise
from generator.render.normalise import Normalised
from generator.render.request import Renderer, RenderRequest, RenderResult
from generator.yaml import edit

_PROGRAM = ("args", "command")


@dataclasses.dataclass(frozen=True, slots=True)
class Defaults:
    """Old defaults by key that keep the objects as they are, and notes on all that matter."""

    kept: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def written(self, text: str, file: str) -> str:
        """The definition with these in `values:`."""
        for key, value in self.kept.items():
            text = edit.set_value(text, ("values", *key.split(".")), value, file=file)
        return text


@dataclasses.dataclass(frozen=True)
class _Probe:
    """Renders the environment on the new chart, with some defaults as they were."""

    renderer: Renderer
    request: RenderRequest
    release: Release
    usual: Normalised

    def differs(self, defaults: Mapping[str, Any]) -> bool | None:
        """Whether the objects are others with these; None where the chart does not render."""
        found = self.objects(defaults)
        return None if found is None else found != self.usual.manifests

    def objects(self, defaults: Mapping[str, Any]) -> Any:
        """The objects with these; None where the chart does not render."""
        values = copied(self.request.values)
        for key, value in defaults.items():
            overlay(values, _nested(key, value))
        asked = dataclasses.replace(self.request, values=values)
        if self.usual.random:
            settled = normalise.render(self.renderer, asked, self.release.line.pins)
            return settled.manifests if isinstance(settled, Normalised) else None
        answer = self.renderer.render(asked)
        return answer.manifests if isinstance(answer, RenderResult) else None

    def matter(self, defaults: Sequence[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
        """Those that change an object, or break the render; halves without any are skipped."""
        if not defaults or self.differs(dict(defaults)) is False:
            return
        if len(defaults) == 1:
            yield defaults[0]
            return
        middle = len(defaults) // 2
        yield from self.matter(defaults[:middle])
        yield from self.matter(defaults[middle:])


def changed(
    item: Definition, after: Built | None, options: Options, charts: Charts, renderer: Renderer
) -> Defaults:
    """The defaults that matter to an environment on its way to another chart.

    `after` is the environment on the new chart. The old values are kept unless the new ones are
    wanted; a default that is a part of the chart's program, or that a field decides, is not.
    """
    old = str(item.part("chart", "version"))
    if options.chart is None or after is None or after.release is None:
        return Defaults()
    try:
        first, second = charts.find(old, None), generate.archive_for(after, charts)
    except ChartError:
        return Defaults()  # The notes on both charts, and the proof, say so.
    if first is None or second is None:
        return Defaults()
    request = generate.request(after, second)
    usual = normalise.render(renderer, request, after.release.line.pins)
    if not isinstance(usual, Normalised):
        return Defaults(notes=("changed defaults were not looked at: the new chart fails",))
    probe = _Probe(renderer, request, after.release, usual)
    found = comparison.compare((first.values(), {}), (second.values(), {})).changed
    free = [(key, was) for key, was, _ in found if lookup(request.values, key) is None]
    kept: dict[str, Any] = {}
    notes = []
    for key, was in probe.matter(free):
        why = "--new-defaults" if options.new_defaults else _refusal(probe, key, was)
        if not why:
            names = _names(probe, key, was, traits_cache.traits(second))
            kept |= dict.fromkeys(names, was)
            as_name = "" if names == (key,) else f" as {' and '.join(names)}"
            old_address = frozen(was) if isinstance(was, str) else ""
            reason = f" ({old_address}; --new-defaults does not keep it)" if old_address else ""
            notes.append(f"old default of {key} is kept, in values:{as_name}{reason}")
        else:
            notes.append(f"new default of {key} takes effect: {why}")
    return Defaults(kept, tuple(notes))


def _refusal(probe: _Probe, key: str, was: Any) -> str:
    """Why an old default is not written; '' where it can be."""
    release = probe.release
    if _is_program(key, was):
        return "it belongs to the chart's templates"
    if isinstance(was, str) and holds_secret(key.rpartition(".")[2], was):
        return "the old one may be a secret"
    adopted = release.environment.adoption is not None
    owner = adopted_settings.owner if adopted else release.line.owner
    if field := owner(tuple(key.split(".")), release.line.decided(list(release.settings))):
        return f"{field} decides it"
    return "" if probe.differs({key: was}) else "the new chart does not render with the old one"


def _names(probe: _Probe, key: str, was: Any, traits: ChartTraits) -> tuple[str, ...]:
    """The fewest of the new chart's names for a default that make the objects of the old name."""
    new = next((names for _, names in moves(_nested(key, was), traits)), ())
    free = tuple(name for name in new if lookup(probe.request.values, name) is None)
    ways = [*((name,) for name in free), *([free] if len(free) > 1 else [])]
    wanted = probe.objects({key: was}) if ways else None
    same = (way for way in ways if probe.objects(dict.fromkeys(way, was)) == wanted)
    return next(same, (key,))


def _is_program(key: str, value: Any) -> bool:
    """Whether a default is a script or a template, which belongs to the chart that it came with."""
    texts = value if isinstance(value, list) else [value]
    written = any(isinstance(text, str) and ("{{" in text or "\n" in text) for text in texts)
    return written or key.rpartition(".")[2] in _PROGRAM


def _nested(key: str, value: Any) -> dict[str, Any]:
    for part in reversed(key.split(".")):
        value = {part: value}
    result: dict[str, Any] = value
    return result
