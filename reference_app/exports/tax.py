"""A tax year as rows of a file."""

from __future__ import annotations

from reference_app.exports.lines import Cell
from reference_app.tax.ledger import is_collected
from reference_app.tax.office import Line

TAX_COLUMNS = (
    "annee", "month", "gite_id", "gite_nom", "plateforme", "arrivals", "nights", "guest_nights",
    "revenue_centimes", "occupancy_due_centimes", "occupancy_collected_centimes",
)  # fmt: skip
"""The header of the export of a tax year."""


def tax_cells(year: int, line: Line) -> tuple[Cell, ...]:
    """One month, gîte and platform."""
    place, cell = line.place, line.cell
    collected = is_collected(place.platform)
    return (
        year,
        place.month,
        place.gite_id,
        line.gite_name,
        place.platform,
        cell.arrivals,
        cell.nights,
        cell.guest_nights,
        cell.revenue,
        0 if collected else cell.occupancy,
        cell.occupancy if collected else 0,
    )
