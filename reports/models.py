"""Statements that people asked for, and what was given to them."""

from dataclasses import dataclass
from typing import TypedDict

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.accounts.models import User
from core.accounts.roles import Can
from core.base.triggers import never_deleted
from core.documents.models import Document
from core.jobs.models import Job
from ledger.models import CustodyAccount


def statement_accounts(user: User) -> "models.QuerySet[CustodyAccount]":
    """Stores whose statements the person may ask for and read."""
    if not user.can(Can.SEE_STATEMENTS):
        return CustodyAccount.objects.none()
    accounts = CustodyAccount.objects.visible_to(user)
    if user.can(Can.SEE_EVERYTHING):
        return accounts
    return accounts.filter(custodian__in=user.organisation_ids(Can.SEE_STATEMENTS))


@dataclass(frozen=True, slots=True)
class StatementFile:
    """One file of a published statement, by the name of its format."""

    format: str
    document: Document

    @property
    def name(self) -> str:
        return self.document.name

    @property
    def size(self) -> int:
        return self.document.size

    @property
    def sha256(self) -> str:
        return self.document.sha256


class Figures(TypedDict):
    """The balance of a statement in codes, to be read in any language.

    `balance`: stock class, then opening, in, out and closing, each in pieces and grams. `changes`: stock class, "in" or
    "out", kind of movement, kind of the boundary on the far side ("" for another store), pieces, grams.
    """

    balance: list[tuple[str, int, int, int, int, int, int, int, int]]
    changes: list[tuple[str, str, str, str, int, int]]
    movements: int


class StatementQuerySet(models.QuerySet["Statement"]):
    def visible_to(self, user: User) -> "StatementQuerySet":
        """Statements of stores whose statements the person may ask for."""
        return self.filter(account__in=statement_accounts(user).values("pk"))

    def with_files(self) -> "StatementQuerySet":
        return self.select_related("pdf", "xlsx", "csv", "movements_csv")


class Statement(models.Model):
    """The stock of one store over a period, both days included; published whole or not at all, then kept.

    `figures` is the balance as it was printed; `check_code` follows from the figures (see reports.balance).
    """

    number = models.CharField(max_length=20, unique=True)
    account = models.ForeignKey(CustodyAccount, on_delete=models.PROTECT, related_name="statements")
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("to"))
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    job = models.OneToOneField(Job, on_delete=models.PROTECT, related_name="statement")
    published_at = models.DateTimeField(null=True)
    check_code = models.CharField(max_length=14, blank=True)
    figures = models.JSONField(null=True)
    pdf = models.OneToOneField(Document, null=True, on_delete=models.PROTECT, related_name="+")
    xlsx = models.OneToOneField(Document, null=True, on_delete=models.PROTECT, related_name="+")
    csv = models.OneToOneField(Document, null=True, on_delete=models.PROTECT, related_name="+")
    movements_csv = models.OneToOneField(Document, null=True, on_delete=models.PROTECT, related_name="+")

    objects = StatementQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["account", "-id"])]
        constraints = [
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="statement_period"),
            models.CheckConstraint(
                condition=Q(
                    published_at=None,
                    check_code="",
                    figures__isnull=True,
                    pdf=None,
                    xlsx=None,
                    csv=None,
                    movements_csv=None,
                )
                | (
                    Q(
                        published_at__isnull=False,
                        figures__isnull=False,
                        pdf__isnull=False,
                        xlsx__isnull=False,
                        csv__isnull=False,
                        movements_csv__isnull=False,
                    )
                    & ~Q(check_code="")
                ),
                name="statement_published_all_or_none",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            pgtrigger.Protect(
                name="published_statement_stays",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__published_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_published(self) -> bool:
        return self.published_at is not None

    @property
    def files(self) -> list["StatementFile"]:
        """The files in the order people look for them; none before it is published."""
        papers = {"pdf": self.pdf, "xlsx": self.xlsx, "csv": self.csv, "movements": self.movements_csv}
        return [StatementFile(name, paper) for name, paper in papers.items() if paper is not None]

    def file(self, name: str) -> Document | None:
        """The file of that format: pdf, xlsx, csv or movements."""
        return next((found.document for found in self.files if found.format == name), None)
