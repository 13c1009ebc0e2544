"""What exists and where it came from: seasons, permits to remove, intakes, cases, derivatives."""

from registry.models.cases import Case, CaseQuerySet
from registry.models.derivatives import Derivative, DerivativePhoto, DerivativeQuerySet
from registry.models.intakes import HornMeasures, Intake, IntakeQuerySet, IntakeRow, IntakeSheet
from registry.models.seasons import Brigade, RemovalPermit, Season
from registry.models.terms import BOUNDARIES, Condition, Origin, Population, Side, Term, split_stock_class, stock_class

__all__ = [
    "BOUNDARIES",
    "Brigade",
    "Case",
    "CaseQuerySet",
    "Condition",
    "Derivative",
    "DerivativePhoto",
    "DerivativeQuerySet",
    "HornMeasures",
    "Intake",
    "IntakeQuerySet",
    "IntakeRow",
    "IntakeSheet",
    "Origin",
    "Population",
    "RemovalPermit",
    "Season",
    "Side",
    "Term",
    "split_stock_class",
    "stock_class",
]
