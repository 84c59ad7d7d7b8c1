"""Kubernetes quantities as numbers: `500m`, `4Gi`, `1e3`."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

# kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity
_UNITS = {
    "": Decimal(1),
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    **{unit: Decimal(1000) ** power for power, unit in enumerate("kMGTPE", 1)},
    **{f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", 1)},
}
_QUANTITY = re.compile(
    r"([+-]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30}))(?:[eE]([+-]?\d{1,3})|([A-Za-z]{0,2}))"
)


def quantity(value: Any) -> Decimal | None:
    """The number, or None for what is no quantity."""
    if isinstance(value, bool):
        return None
    match = _QUANTITY.fullmatch(str(value))
    if match is None or (unit := match[3] or "") not in _UNITS:
        return None
    return Decimal(match[1]) * _UNITS[unit] * Decimal(10) ** int(match[2] or 0)


def cores(value: Decimal) -> str:
    """`2.5`."""
    return f"{value.quantize(Decimal('0.01')).normalize():f}"


def size(value: Decimal) -> str:
    """`4.5 GiB`, `512 MiB`."""
    for unit, factor in (("TiB", 4), ("GiB", 3), ("MiB", 2), ("KiB", 1)):
        if abs(value) >= Decimal(1024) ** factor:
            return f"{cores(value / Decimal(1024) ** factor)} {unit}"
    return f"{cores(value)} B"
