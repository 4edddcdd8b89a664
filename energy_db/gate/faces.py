"""What the gate says, for eyes: accepted levels."""

from __future__ import annotations

from collections.abc import Sequence

from energy_db import units
from energy_db.gate.blessings import Blessing
from energy_db.tables import Row


def blessing_rows(blessings: Sequence[Blessing]) -> list[Row]:
    """Return accepted levels as people read them."""
    return [
        {
            "number": one.blessing_number,
            "run": one.run_id,
            "name": one.run_name,
            "chip": f"{one.chip} {one.cost_version}",
            "layer": one.layer or "",
            "energy": units.energy(one.energy_pj),
            "status": _status(one),
            "when": one.blessed_at,
            "by": one.blessed_by or "",
            "reason": one.reason,
        }
        for one in blessings
    ]


def _status(blessing: Blessing) -> str:
    if blessing.status not in ("stored", "unchanged"):
        return blessing.status
    if blessing.revoked_at is not None:
        return f"revoked: {blessing.revocation_reason}"
    return "in force" if blessing.is_in_force else "superseded"
