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
    Stage,
)
from registry.models.certificates import VeterinaryCertificate, VeterinaryCertificateQuerySet
from registry.models.derivatives import Derivative, DerivativePhoto, DerivativeQuerySet, HornPair
from registry.models.intakes import EVIDENCE, Intake, IntakeQuerySet, IntakeRow, IntakeSheet, RowPhoto
from registry.models.measures import FACTS, Measures
from registry.models.origins import Confiscation, Find, Importation, OldStock
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
    "EVIDENCE",
    "FACTS",
    "WAYS",
    "Brigade",
    "Case",
    "CasePerson",
    "CaseQuerySet",
    "CaseWord",
    "Condition",
    "Confiscation",
    "Country",
    "CourtDecision",
    "DecidedItem",
    "Derivative",
    "DerivativePhoto",
    "DerivativeQuerySet",
    "Expertise",
    "Find",
    "HornPair",
    "Importation",
    "Intake",
    "IntakeQuerySet",
    "IntakeRow",
    "IntakeSheet",
    "Measures",
    "OldStock",
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
    "RowPhoto",
    "Season",
    "SeizedCount",
    "Side",
    "Stage",
    "Term",
    "VeterinaryCertificate",
    "VeterinaryCertificateQuerySet",
    "Way",
    "split_stock_class",
    "stock_class",
]
