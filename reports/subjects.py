"""What the journal speaks of: each kind of subject with its name, its numbers, and the page that shows it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.models import Organisation, User
from core.accounts.roles import Can
from core.notices.models import Notice
from core.rules.models import Rule
from ledger.models import Handover
from marking.models import LabelRun, Mark
from permits.models import Application, Permit
from registry.models import Case, Derivative, Intake
from reports.models import Statement

KnownTo = Callable[[User], QuerySet[Any]]


@dataclass(frozen=True, slots=True)
class Subject:
    """One kind. `page` shows one of them to those in whose `known_to` it is; numbers are `prefix`YY-serial."""

    label: StrOrPromise
    page: str = ""
    known_to: KnownTo | None = None
    everything: Callable[[], QuerySet[Any]] | None = None
    prefix: str = ""
    digits: int = 6


def _people(user: User) -> QuerySet[User]:
    return User.objects.all() if user.can(Can.MANAGE_PEOPLE) else User.objects.none()


def _organisations(user: User) -> QuerySet[Organisation]:
    return Organisation.objects.all() if user.can(Can.MANAGE_PEOPLE) else Organisation.objects.none()


def _rules(user: User) -> QuerySet[Rule]:
    return Rule.objects.all() if user.can(Can.SEE_RULES) else Rule.objects.none()


def _notices(user: User) -> QuerySet[Notice]:
    return Notice.objects.visible_to(user)


SUBJECTS: dict[str, Subject] = {
    "derivative": Subject(_("Item"), "reports:item", Derivative.objects.visible_to, Derivative.objects.all, "KZ", 7),
    "intake": Subject(_("Reception"), "registry:intake", Intake.objects.visible_to, Intake.objects.all, "IN"),
    "case": Subject(_("Case"), "registry:case", Case.objects.visible_to),
    "mark": Subject(_("Mark")),
    "label_run": Subject(_("Label run"), "marking:label-run", LabelRun.objects.visible_to),
    "movement": Subject(_("Movement")),
    "handover": Subject(_("Hand-over"), "permits:handover", Handover.objects.visible_to, Handover.objects.all, "HO"),
    "application": Subject(
        _("Application"), "permits:application", Application.objects.visible_to, Application.objects.all, "AP"
    ),
    "permit": Subject(_("Permit"), "permits:permit", Permit.objects.visible_to, Permit.objects.all, "PM"),
    "report": Subject(
        _("Stock statement"), "reports:statement", Statement.objects.visible_to, Statement.objects.all, "ST"
    ),
    "notice": Subject(_("Notice"), "notices:notice", _notices),
    "rule": Subject(_("Rule"), "rules:rule", _rules),
    "user": Subject(_("Person"), "accounts:person", _people),
    "organisation": Subject(_("Organisation"), "accounts:organisation", _organisations),
    "document": Subject(_("Document")),
    "job": Subject(_("Background work")),
    "ledger": Subject(_("Ledger")),
}

BY_PREFIX = {subject.prefix: kind for kind, subject in SUBJECTS.items() if subject.prefix}


def pages_of(reader: User, subjects: Iterable[tuple[str, object]]) -> dict[tuple[str, str], str]:
    """The page of each subject that has one which the reader may open; a mark leads to its item.

    One query for each kind among the subjects, whatever their number.
    """
    keys: dict[str, set[str]] = {}
    for kind, key in subjects:
        keys.setdefault(kind, set()).add(str(key))
    pages: dict[tuple[str, str], str] = {}
    for kind, wanted in keys.items():
        subject = SUBJECTS.get(kind)
        if kind == "mark":
            marks = Mark.objects.visible_to(reader).filter(pk__in=wanted)
            for code, item in marks.values_list("pk", "derivative_id"):
                pages[kind, code] = reverse("reports:item", args=[item])
        elif subject is not None and subject.known_to is not None:
            numbers = [int(key) for key in wanted if key.isdecimal()]
            for pk in subject.known_to(reader).filter(pk__in=numbers).values_list("pk", flat=True):
                pages[kind, str(pk)] = reverse(subject.page, args=[pk])
    return pages
