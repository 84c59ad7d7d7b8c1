"""How often predictions came true: precision and recall of each kind of statement."""

import collections
import dataclasses

from tests.cluster.fidelity.effects import KINDS

# At least so much of what was predicted happened, and of what happened was predicted.
THRESHOLDS = {
    "added": (0.99, 0.99),
    "changed": (0.97, 0.99),
    "pruned": (0.99, 1.0),
    "restarted": (0.99, 0.99),
    "refused": (0.95, 1.0),
    "repeated": (0.95, 0.95),
    "lost": (0.95, 1.0),
    "nothing": (0.95, 0.95),
}
TITLES = {
    **KINDS,
    "refused": "changes that the API server refuses",
    "nothing": "changes that do nothing to the cluster",
}


@dataclasses.dataclass
class Tally:
    """Of one kind of statement: right, predicted in vain, and not predicted."""

    right: int = 0
    false: int = 0
    missed: int = 0

    @property
    def precision(self):
        return self.right / (self.right + self.false) if self.right + self.false else 1.0

    @property
    def recall(self):
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0


class Score:
    """Of all changes so far; `mismatches` names each statement that was false or missing."""

    def __init__(self):
        self.changes = 0
        self.tallies = collections.defaultdict(Tally)
        self.mismatches = []

    def count(self, change, predicted, observed):
        """Add one change. What either side calls refused is judged as that alone.

        A refusal counts once for a change, as it stops the sync: one cause is one finding, which
        names one of several objects.
        """
        self.changes += 1
        refused = predicted.refused | observed.refused
        stops = [{str(change)} if effects.refused else set() for effects in (predicted, observed)]
        nothing = [{str(change)} if effects.none else set() for effects in (predicted, observed)]
        predicted, observed = predicted.without(refused), observed.without(refused)
        for kind in KINDS.keys() - {"refused"}:
            self._add(change, kind, getattr(predicted, kind), getattr(observed, kind))
        self._add(change, "refused", *stops)
        self._add(change, "nothing", *nothing)

    def include(self, other):
        """Add what another run counted."""
        self.changes += other.changes
        self.mismatches += other.mismatches
        for kind, tally in other.tallies.items():
            own = self.tallies[kind]
            own.right += tally.right
            own.false += tally.false
            own.missed += tally.missed

    def _add(self, change, kind, predicted, observed):
        tally = self.tallies[kind]
        tally.right += len(predicted & observed)
        tally.false += len(predicted - observed)
        tally.missed += len(observed - predicted)
        for word, names in (("false", predicted - observed), ("missed", observed - predicted)):
            self.mismatches += [
                (kind, word, str(name), str(change)) for name in sorted(names, key=str)
            ]

    def below(self):
        """The kinds of statement that are worse than they may be."""
        found = []
        for kind, (precision, recall) in THRESHOLDS.items():
            tally = self.tallies[kind]
            if _is_below(tally.precision, precision, tally.false) or _is_below(
                tally.recall, recall, tally.missed
            ):
                found.append(f"{kind}: precision {tally.precision:.3f}, recall {tally.recall:.3f}")
        return found

    def table(self):
        """As Markdown."""
        rows = [
            "| statement | right | false | missed | precision | recall |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        for kind, title in TITLES.items():
            it = self.tallies[kind]
            rates = f"{_shown(it.precision, it.false + it.right)} | " + _shown(
                it.recall, it.missed + it.right
            )
            rows.append(f"| {title} | {it.right} | {it.false} | {it.missed} | {rates} |")
        return "\n".join(rows) + "\n"


def _is_below(rate, threshold, errors):
    """In a small sample one error is not a rate yet, but where no error is permitted."""
    return rate < threshold and (errors > 1 or threshold == 1.0)


def _shown(rate, count):
    """A rate of nothing is none."""
    return f"{rate:.3f}" if count else "–"
