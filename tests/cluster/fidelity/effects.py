"""What a change does, as sets of objects: the same whether somebody predicted it or looked."""

import dataclasses

KINDS = {
    "added": "objects that are created",
    "changed": "objects whose stored content changes",
    "pruned": "objects that leave the cluster",
    "restarted": "workloads whose pods are replaced",
    "refused": "objects that the API server refuses",
    "repeated": "Jobs that run again",
    "lost": "objects whose data is lost",
}


@dataclasses.dataclass
class Effects:
    """By kind of statement: the objects that it is true of, as `Kind namespace/name`."""

    added: set = dataclasses.field(default_factory=set)
    changed: set = dataclasses.field(default_factory=set)
    pruned: set = dataclasses.field(default_factory=set)
    restarted: set = dataclasses.field(default_factory=set)
    refused: set = dataclasses.field(default_factory=set)
    repeated: set = dataclasses.field(default_factory=set)
    lost: set = dataclasses.field(default_factory=set)

    @property
    def none(self):
        """Whether nothing at all happens."""
        return not any(getattr(self, kind) for kind in KINDS)

    def without(self, names):
        """The same but for these objects: what is refused has no other effect."""
        return Effects(
            **{
                kind: getattr(self, kind) - (set() if kind == "refused" else names)
                for kind in KINDS
            }
        )
