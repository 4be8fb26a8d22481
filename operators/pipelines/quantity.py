"""Kubernetes quantities ("500m", "256Mi") as numbers: the API server writes them in its own way. Nothing else."""

from __future__ import annotations

import re
from decimal import Decimal

_FORM = re.compile(r"([0-9]+(?:\.[0-9]+)?)(m|k|M|G|T|Ki|Mi|Gi|Ti)?")
_UNITS = {
    "m": Decimal("0.001"),
    "": Decimal(1),
    **{unit: Decimal(1000) ** power for power, unit in enumerate(("k", "M", "G", "T"), 1)},
    **{unit: Decimal(1024) ** power for power, unit in enumerate(("Ki", "Mi", "Gi", "Ti"), 1)},
}


def quantity(text: str) -> Decimal | None:
    """The number that a quantity is (bytes, cores), or None for what is none."""
    found = _FORM.fullmatch(text)
    return None if found is None else Decimal(found.group(1)) * _UNITS[found.group(2) or ""]
