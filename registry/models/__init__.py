"""What exists and where it came from: seasons, permits to remove, intakes, cases, derivatives."""

from registry.models.cases import (
    Case,
    CasePerson,
    CaseQuerySet,
    CaseWord,
    Country,
    CourtDecision,
    DecidedItem,
    Expertise,
    Outcome,
    SeizedCount,
)
from registry.models.derivatives import Derivative, DerivativePhoto, DerivativeQuerySet
from registry.models.intakes import HornMeasures, Intake, IntakeQuerySet, IntakeRow, IntakeSheet
from registry.models.processing import (
    WAYS,
    Processing,
    ProcessingInput,
    ProcessingMovement,
    ProcessingOutput,
    ProcessingQuerySet,
    Recipe,
    Way,
)
from registry.models.seasons import Brigade, RemovalPermit, Season
from registry.models.terms import BOUNDARIES, Condition, Origin, Population, Side, Term, split_stock_class, stock_class

__all__ = [
    "BOUNDARIES",
    "WAYS",
    "Brigade",
    "Case",
    "CasePerson",
    "CaseQuerySet",
    "CaseWord",
    "Condition",
    "Country",
    "CourtDecision",
    "DecidedItem",
    "Derivative",
    "DerivativePhoto",
    "DerivativeQuerySet",
    "Expertise",
    "HornMeasures",
    "Intake",
    "IntakeQuerySet",
    "IntakeRow",
    "IntakeSheet",
    "Origin",
    "Outcome",
    "Population",
    "Processing",
    "ProcessingInput",
    "ProcessingMovement",
    "ProcessingOutput",
    "ProcessingQuerySet",
    "Recipe",
    "RemovalPermit",
    "Season",
    "SeizedCount",
    "Side",
    "Term",
    "Way",
    "split_stock_class",
    "stock_class",
]
