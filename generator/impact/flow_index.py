"""Flows by what they may lie in, so that thousands of addresses are not held against each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from generator.impact.flow_table import Ends
from generator.impact.network_flows import Network, network_of


class Around:
    """Flows by one end and the network of the other: what may have a flow in it, of thousands.

    One of both ends is always a pod, and what has a pod in it is that pod itself or anyone.
    """

    def __init__(self, flows: Iterable[Ends]) -> None:
        self._flows: dict[tuple[int, str, Network | None], list[Ends]] = defaultdict(list)
        for ends in flows:
            for side, end in enumerate(ends):
                self._flows[side, end, network_of(ends[1 - side])].append(ends)
        networks = {network for *_, network in self._flows if network}
        self._prefixes = {(network.version, network.prefixlen) for network in networks}

    def of(self, ends: Ends) -> list[Ends]:
        """Flows that share an end with this one, and whose other end may have its other in it."""
        keys = (
            (side, end, network)
            for side, end in enumerate(ends)
            for network in (None, *self._wider(network_of(ends[1 - side])))
        )
        return list(dict.fromkeys(flow for key in keys for flow in self._flows.get(key, ())))

    def _wider(self, network: Network | None) -> Iterator[Network]:
        for version, prefix in self._prefixes if network else ():
            if network and network.version == version and prefix <= network.prefixlen:
                yield network.supernet(new_prefix=prefix)
