"""The damage of an illegal taking, with its arithmetic: counts times a rate in MRP times the MRP of the day.

Knows no Django. The day is that of the offence; rates and the MRP are dated rules.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Charge:
    """One line: so many of these, at so many MRP each."""

    what: str
    count: int
    rate: int
    mrp: int

    @property
    def units(self) -> int:
        """In MRP."""
        return self.count * self.rate

    @property
    def tenge(self) -> int:
        return self.units * self.mrp


@dataclass(frozen=True, slots=True)
class Damage:
    """All lines of a case. `horns_of_males` belong to the males counted and are not charged twice."""

    on: date
    mrp: int
    charges: tuple[Charge, ...]
    horns_of_males: int

    @property
    def tenge(self) -> int:
        return sum(charge.tenge for charge in self.charges)


def compute_damage(
    *, on: date, mrp: int, rates: Mapping[str, int], animals: Mapping[str, int], horns: int, horns_per_male: int
) -> Damage:
    """The damage for animals by sex and age ("male", "female", "young") and for the horns that are left over.

    A male is charged with its horns; only horns beyond those that these males carried are charged by themselves.
    """
    of_males = min(horns, animals.get("male", 0) * horns_per_male)
    counts = {**animals, "horn": horns - of_males}
    charges = tuple(
        Charge(what, counts[what], rates[what], mrp)
        for what in ("male", "female", "young", "horn")
        if counts.get(what, 0)
    )
    return Damage(on, mrp, charges, of_males)
