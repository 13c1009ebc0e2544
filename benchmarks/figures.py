"""What a benchmark says."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured figure and the limit it is held to; `limit` as people write it, "<=8" or ">=800"."""

    name: str
    value: float
    unit: str
    limit: str
    ok: bool

    def __str__(self) -> str:
        return f"{self.name} {self.value:.4g} {self.unit} {self.limit} {'PASS' if self.ok else 'FAIL'}"


def at_most(name: str, value: float, unit: str, limit: float) -> Figure:
    return Figure(name, value, unit, f"<={limit:g}", value <= limit)


def at_least(name: str, value: float, unit: str, limit: float) -> Figure:
    return Figure(name, value, unit, f">={limit:g}", value >= limit)


def told(name: str, value: float, unit: str) -> Figure:
    """A figure without a limit, for whoever reads the others."""
    return Figure(name, value, unit, "-", ok=True)
