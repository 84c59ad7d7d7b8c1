"""The numbers of all processes, in the shapes that Prometheus knows."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import sqlalchemy as sa
from prometheus_client.core import Metric

from service.store import runs
from service.store.tables import executor, now
from service.telemetry.meter import BOUNDS, labels_of

# Counters live in the database: several processes count, and all of them are restarted at times.
_COUNTERS = {
    "deliveries": "Deliveries with a valid signature, by outcome.",
    "runs": "Ended runs by kind and state.",
    "takeovers": "Runs taken over from a lost worker.",
    "polled": "Checks queued by the poll for changes without a delivery.",
    "renders": "Helm renders that checks asked for: rendered, cached or failed.",
    "forge_requests": "Requests to a forge's API by status (0: no answer).",
    "git_fetches": "Fetches from a forge, and whether they succeeded.",
    "cleaned_bytes": "Bytes freed by housekeeping, by kind.",
}
_HISTOGRAMS = {
    "run_duration_seconds": "Duration of ended runs from their start.",
    "render_duration_seconds": "Duration of Helm renders that were not cached.",
    "forge_request_duration_seconds": "Response time of the forge's API.",
    "git_fetch_duration_seconds": "Duration of fetches from a forge.",
}
_GAUGES = {
    "forge_rate_limit_remaining": "Requests that the forge still allows, as last reported.",
    "forge_rate_limit_limit": "Requests that the forge allows per rate limit window.",
    "forge_rate_limit_reset_timestamp_seconds": "End of the forge's rate limit window.",
    "drift_objects": "Objects that differ from git, as last compared.",
    "drift_compared_timestamp_seconds": "When all of an environment was last compared with git.",
    "kept_bytes": "Disk space used by mirrors, caches and reports, as last measured.",
}
Samples = list[tuple[dict[str, str], float]]


@dataclasses.dataclass(frozen=True, slots=True)
class Numbers:
    """A collector for one answer: what the database says at this moment."""

    engine: sa.Engine
    at: float
    lease_seconds: float

    def collect(self) -> Iterator[Metric]:
        """All families, each with every sample there is."""
        with self.engine.connect() as connection:
            tallies = runs.tallies(connection)
            number, oldest = runs.depth(connection)
            dead = runs.dead(connection)
            since = (now(connection) or self.at) - self.lease_seconds
            living = sa.select(sa.func.count()).where(executor.c.seen > since)
            workers = connection.execute(living).scalar_one()
        age = max(0.0, self.at - oldest) if oldest else 0.0
        yield _family("gauge", "queue_depth", "Unfinished runs.", [({}, number)])
        yield _family(
            "gauge", "queue_age_seconds", "Age of the oldest unfinished run.", [({}, age)]
        )
        lost = "Runs that were given up and wait for a person."
        yield _family("gauge", "dead_letters", lost, [({}, dead)])
        yield _family("gauge", "workers", "Workers with a recent heartbeat.", [({}, workers)])
        found: dict[str, Samples] = {}
        for name, labels, value in tallies:
            found.setdefault(name, []).append((labels_of(labels), value))
        for kind, texts in (("counter", _COUNTERS), ("gauge", _GAUGES)):
            for name, text in texts.items():
                yield _family(kind, name, text, found.get(name, []))
        for name, text in _HISTOGRAMS.items():
            buckets, sums = found.get(f"{name}_bucket", []), found.get(f"{name}_sum", [])
            yield _histogram(name, text, buckets, sums)


def _family(kind: str, name: str, text: str, samples: Samples) -> Metric:
    family = Metric(f"gen_env_{name}", text, kind)
    for labels, value in samples:
        family.add_sample(f"{family.name}{'_total' * (kind == 'counter')}", labels, value)
    return family


def _histogram(name: str, text: str, buckets: Samples, sums: Samples) -> Metric:
    family = Metric(f"gen_env_{name}", text, "histogram")
    for labels, total in sums:
        counted = {
            found["le"]: value for found, value in buckets if labels.items() <= found.items()
        }
        running = 0.0
        for bound in (*map(str, BOUNDS), "+Inf"):
            running += counted.get(bound, 0.0)
            family.add_sample(f"{family.name}_bucket", {**labels, "le": bound}, running)
        family.add_sample(f"{family.name}_count", labels, running)
        family.add_sample(f"{family.name}_sum", labels, total)
    return family
