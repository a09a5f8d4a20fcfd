"""A measured figure, as one line of JSON and as a row of a table."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Figure:
    """One measurement.

    `reference` is the limit or the other side of the comparison, in the same unit; `ratio` is
    value / reference; `n` is how many operations, requests or repetitions stand behind the value.
    """

    name: str
    value: float
    unit: str
    n: int
    reference: float | None = None

    @property
    def ratio(self) -> float | None:
        """None where there is nothing to compare with."""
        return round(self.value / self.reference, 3) if self.reference else None

    def line(self) -> str:
        """`{"name", "value", "unit", "reference", "ratio", "n"}`."""
        fields = asdict(self)
        ordered = {key: fields[key] for key in ("name", "value", "unit", "reference")}
        return json.dumps({**ordered, "ratio": self.ratio, "n": self.n})


def table(figures: Iterable[Figure]) -> str:
    """The same for people: aligned columns, a dash where there is no reference."""
    rows = [("figure", "value", "unit", "reference", "ratio", "n")]
    rows += [
        (f.name, _short(f.value), f.unit, _short(f.reference), _short(f.ratio), str(f.n))
        for f in figures
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(_aligned(row, widths) for row in rows)


def _aligned(row: tuple[str, ...], widths: list[int]) -> str:
    name, value, unit, *rest = (
        cell.ljust(width) if column in (0, 2) else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join([name, value, unit, *rest]).rstrip()


def _short(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
