"""What the scale, the ruler and the person say of one specimen: the columns of every term, and what they must obey."""

from collections.abc import Sequence

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from registry.fields import EMPTY, FIELDS, foreign_columns
from registry.models.terms import Condition, Side


class Measures(models.Model):
    """Facts of one specimen or package. Which of them a term has, `registry.fields` says; the others stay empty.

    Masses in whole grams (`mass_g` is net), lengths in whole millimetres, `dose_mg` in milligrams of horn a pack.
    """

    side = models.CharField(_("side"), max_length=1, choices=Side, default=Side.UNKNOWN, db_default=Side.UNKNOWN)
    mass_g = models.PositiveIntegerField(_("mass"))
    length_mm = models.PositiveIntegerField(_("length"), null=True, blank=True)
    straight_mm = models.PositiveIntegerField(_("straight length"), null=True, blank=True)
    base_mm = models.PositiveIntegerField(_("base circumference"), null=True, blank=True)
    rings = models.PositiveIntegerField(_("rings"), null=True, blank=True)
    condition = models.CharField(
        _("condition"), max_length=10, choices=Condition, default=Condition.WHOLE, db_default=Condition.WHOLE
    )
    note = models.CharField(_("note"), max_length=200, blank=True, default="", db_default="")
    package = models.CharField(_("package"), max_length=10, blank=True, default="", db_default="")
    gross_g = models.PositiveIntegerField(_("gross mass"), null=True, blank=True)
    count = models.PositiveIntegerField(_("pieces inside"), null=True, blank=True)
    cut = models.CharField(_("cut"), max_length=10, blank=True, default="", db_default="")
    treatment = models.CharField(_("treatment"), max_length=10, blank=True, default="", db_default="")
    made_on = models.DateField(_("made on"), null=True, blank=True)
    use_by = models.DateField(_("use by"), null=True, blank=True)
    width_mm = models.PositiveIntegerField(_("width"), null=True, blank=True)
    right_length_mm = models.PositiveIntegerField(_("right horn length"), null=True, blank=True)
    right_base_mm = models.PositiveIntegerField(_("right base"), null=True, blank=True)
    spread_mm = models.PositiveIntegerField(_("spread of the tips"), null=True, blank=True)
    product = models.CharField(_("product"), max_length=100, blank=True, default="", db_default="")
    lot = models.CharField(_("lot"), max_length=40, blank=True, default="", db_default="")
    dose_mg = models.PositiveIntegerField(_("horn in a pack, mg"), null=True, blank=True)

    class Meta:
        abstract = True


FACTS = ("mass_g", *(column for column in EMPTY if column != "pair"))
"""Columns that a row of the table and a derivative have in common."""


def measures_fit(prefix: str) -> Sequence[models.CheckConstraint]:
    """What no measures may say, whoever writes them."""
    return [
        models.CheckConstraint(condition=Q(mass_g__gt=0), name=f"{prefix}_weighs_something"),
        models.CheckConstraint(
            condition=Q(gross_g=None) | Q(gross_g__gte=F("mass_g")), name=f"{prefix}_gross_is_not_below_net"
        ),
        models.CheckConstraint(
            condition=Q(straight_mm=None) | Q(length_mm=None) | Q(straight_mm__lte=F("length_mm")),
            name=f"{prefix}_straight_is_not_longer",
        ),
        models.CheckConstraint(
            condition=Q(made_on=None) | Q(use_by=None) | Q(use_by__gte=F("made_on")), name=f"{prefix}_use_by_after_made"
        ),
    ]


def terms_have_their_fields() -> Sequence[models.CheckConstraint]:
    """A derivative says nothing that its term does not have."""
    return [_its_fields(term) for term in FIELDS]


def _its_fields(term: str) -> models.CheckConstraint:
    foreign = [column for column in foreign_columns(term) if column not in ("pair", "condition")]
    return models.CheckConstraint(
        condition=~Q(term=term) | Q(**{column: EMPTY[column] for column in foreign}),
        name=f"{term.lower()}_has_its_fields",
    )
