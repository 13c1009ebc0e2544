"""The menu: what each role does, in its own words."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from core.accounts.models import User
from core.accounts.roles import Can, Role
from core.jobs.models import Job


@dataclass(frozen=True)
class Entry:
    """A page of the menu; shown to those of the role who also hold one of the capabilities, where any are named."""

    label: StrOrPromise
    url_name: str
    icon: str = ""
    needs: tuple[Can, ...] = ()


@dataclass(frozen=True)
class Section:
    """Pages that belong together: one line of the menu that leads to the first of them, and tabs on each of them."""

    label: StrOrPromise
    icon: str
    pages: tuple[Entry, ...]

    @property
    def url_name(self) -> str:
        return self.pages[0].url_name


HOME = Entry(_("What waits for me"), "reports:home", "home")
RULES = Entry(_("Rules in force"), "rules:rules", "gavel", (Can.SEE_RULES,))
HANDOVERS = Entry(_("Hand-overs"), "permits:handovers", "truck-delivery", (Can.DISPATCH, Can.RECEIVE))
ALERTS = Section(
    _("Alerts and discrepancies"),
    "alert-triangle",
    (
        Entry(_("Alerts and discrepancies"), "notices:inbox", needs=(Can.DECIDE_NOTICE,)),
        Entry(_("Copies of labels"), "marking:copies", needs=(Can.SEE_EVERYTHING,)),
        Entry(_("What people told"), "marking:tips", needs=(Can.SEE_EVERYTHING,)),
    ),
)
RECEPTIONS = Entry(_("Receptions"), "registry:intakes", needs=(Can.SEE_INTAKES,))
CERTIFICATES = Entry(_("Veterinary certificates"), "registry:certificates", needs=(Can.SEE_INTAKES,))
REMOVAL = Section(
    _("Receptions and cases"),
    "clipboard-list",
    (
        RECEPTIONS,
        Entry(_("Seizure cases"), "registry:cases", needs=(Can.SEE_INTAKES,)),
        Entry(_("Daily sheets"), "registry:daily-sheets", needs=(Can.SEE_INTAKES,)),
        Entry(_("Field notebook"), "marking:field-records", needs=(Can.OPEN_INTAKE, Can.REVOKE_DEVICE)),
        CERTIFICATES,
        Entry(_("Seasons"), "registry:seasons", needs=(Can.SEE_INTAKES,)),
    ),
)
LABELS = Section(
    _("Labels and marks"),
    "rubber-stamp",
    (
        Entry(_("Labels"), "marking:label-runs", needs=(Can.PRINT_LABELS,)),
        Entry(_("Label stock"), "marking:label-stock", needs=(Can.PRINT_LABELS, Can.ORDER_LABELS, Can.SEE_EVERYTHING)),
        Entry(_("Requests for marks"), "marking:mark-requests", needs=(Can.PRINT_LABELS, Can.APPROVE_MARKS)),
        Entry(_("Labels to print anew"), "marking:unproven", needs=(Can.PRINT_LABELS, Can.SEE_EVERYTHING)),
        Entry(_("State codes and seals"), "marking:carriers", needs=(Can.PRINT_LABELS, Can.SEE_EVERYTHING)),
        Entry(_("Printers"), "marking:printers", needs=(Can.PRINT_LABELS,)),
        Entry(_("Label sizes"), "marking:sizes", needs=(Can.PRINT_LABELS,)),
        Entry(_("Signing keys"), "marking:keys", needs=(Can.MANAGE_KEYS, Can.SEE_JOURNAL)),
    ),
)
# A keeper of a store works with labels every day and looks at receptions.
LABELS_AND_RECEPTIONS = replace(
    LABELS, label=_("Labels and receptions"), pages=(*LABELS.pages, RECEPTIONS, CERTIFICATES)
)
STOCK = Section(
    _("Stock"),
    "building-warehouse",
    (
        Entry(_("Stock"), "reports:stock", needs=(Can.SEE_STOCK,)),
        Entry(_("Horns and other items"), "reports:items", needs=(Can.SEE_STOCK,)),
        Entry(_("Stores"), "custody:stores", needs=(Can.SEE_STOCK,)),
        Entry(_("Stock statements"), "reports:statements", needs=(Can.SEE_STATEMENTS,)),
        Entry(_("Corrections"), "custody:corrections", needs=(Can.CORRECT_MOVEMENT, Can.SEE_EVERYTHING)),
        Entry(_("Closed periods"), "custody:periods", needs=(Can.CLOSE_PERIOD, Can.SEE_EVERYTHING)),
    ),
)
WORK = Section(
    _("Work with goods"),
    "tools",
    (
        Entry(_("Stock-takes"), "custody:stocktakes", needs=(Can.SEE_STOCK,)),
        Entry(_("Boxes and pallets"), "custody:boxes", needs=(Can.SEE_STOCK,)),
        Entry(_("Weighing again"), "custody:weighings", needs=(Can.KEEP_STORE,)),
        Entry(_("Processing"), "custody:processings", needs=(Can.PROCESS, Can.SEE_EVERYTHING)),
        Entry(_("Loss and theft"), "custody:losses", needs=(Can.REPORT_LOSS, Can.SEE_EVERYTHING)),
        Entry(_("Destruction"), "custody:destructions", needs=(Can.ORDER_DESTRUCTION, Can.SEE_EVERYTHING)),
    ),
)
PERMITS = Section(
    _("Applications and permits"),
    "certificate",
    (
        Entry(_("Applications"), "permits:applications", needs=(Can.SEE_APPLICATIONS,)),
        Entry(_("Permits"), "permits:permits", needs=(Can.SEE_APPLICATIONS,)),
    ),
)
JOURNAL = Entry(_("Journal of all acts"), "reports:journal", "history", (Can.SEE_JOURNAL,))
KEYS = Entry(_("Signing keys"), "marking:keys", "key", (Can.MANAGE_KEYS, Can.SEE_JOURNAL))
ROLES = Entry(_("Roles to confirm"), "accounts:role-requests", "user-check", (Can.CONFIRM_ROLES,))
PEOPLE = Section(
    _("People and roles"),
    "users",
    (Entry(_("People and roles"), "accounts:people", needs=(Can.MANAGE_PEOPLE,)), ROLES),
)

Line = Entry | Section
_HOLDER = (HOME, STOCK, HANDOVERS, PERMITS, WORK, ALERTS, RULES)
_AUTHORITY = (HOME, PERMITS, REMOVAL, LABELS, STOCK, WORK, ALERTS, RULES)
# What waits for the head is read in one place.
_HEAD = (HOME, PERMITS, REMOVAL, LABELS, STOCK, WORK, replace(ALERTS, pages=(*ALERTS.pages, ROLES)), RULES)

MENUS: dict[Role, tuple[Line, ...]] = {
    Role.INSPECTOR: (HOME, REMOVAL, LABELS, HANDOVERS, STOCK, WORK, ALERTS, RULES),
    Role.STOREKEEPER: (HOME, HANDOVERS, STOCK, WORK, LABELS_AND_RECEPTIONS, PERMITS, ALERTS, RULES),
    Role.TRADER: _HOLDER,
    Role.PROCESSOR: (HOME, STOCK, HANDOVERS, WORK, LABELS, PERMITS, ALERTS, RULES),
    Role.VETERINARY_OFFICER: (HOME, STOCK, WORK, RULES),
    Role.AUTHORITY_OFFICER: _AUTHORITY,
    Role.AUTHORITY_HEAD: _HEAD,
    Role.SCIENTIFIC_REVIEWER: (HOME, PERMITS, STOCK, WORK, RULES),
    Role.CUSTOMS_OFFICER: (HOME, *PERMITS.pages, RULES),
    Role.AUDITOR: (HOME, JOURNAL, STOCK, WORK, REMOVAL, LABELS, PERMITS, RULES),
    Role.ADMINISTRATOR: (
        HOME,
        PEOPLE,
        Entry(_("Organisations"), "accounts:organisations", "building-bank", (Can.MANAGE_PEOPLE,)),
        Entry(_("Stores and evidence rooms"), "ledger:stores", "building-warehouse", (Can.MANAGE_STORES,)),
        RULES,
        KEYS,
        Entry(_("Keys for programs"), "accounts:tokens", "key"),
        Entry(_("Phones"), "marking:field-devices", "device-mobile", (Can.REVOKE_DEVICE,)),
    ),
}


def entries_for(user: User) -> list[Line]:
    """The union of the menus of a person's roles, each page once; sections with the pages the person may open."""
    found: dict[str, Line] = {}
    taken: set[str] = set()
    for role in Role:
        if role in user.roles:
            for line in MENUS[role]:
                pages = line.pages if isinstance(line, Section) else (line,)
                pages = tuple(page for page in pages if page.url_name not in taken and _may_open(user, page))
                if pages:
                    found[pages[0].url_name] = replace(line, pages=pages) if isinstance(line, Section) else line
                    taken.update(page.url_name for page in pages)
    return list(found.values()) or [HOME]


def _may_open(user: User, page: Entry) -> bool:
    return not page.needs or any(user.can(need) for need in page.needs)


@dataclass(frozen=True)
class Link:
    """A menu entry on one page: its address, and whether the reader is there (exactly) or below it."""

    label: StrOrPromise
    icon: str
    url: str
    is_current: bool
    is_exact: bool


class Shell:
    """What the frame of a page shows about the person; nothing is asked of the database until it is drawn."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def entries(self) -> list[Link]:
        return [self._link(line) for line in self._lines]

    @cached_property
    def tabs(self) -> list[Link]:
        """The pages of the section that this page is one of, if it is one of several."""
        for line in self._lines:
            if isinstance(line, Section) and len(line.pages) > 1:
                links = [self._link(page) for page in line.pages]
                if any(link.is_exact for link in links):
                    return links
        return []

    @cached_property
    def _lines(self) -> list[Line]:
        user = self._request.user
        return entries_for(user) if isinstance(user, User) else []

    def _link(self, line: Line) -> Link:
        path = self._request.path
        urls = [reverse(page.url_name) for page in (line.pages if isinstance(line, Section) else (line,))]
        is_exact = path in urls
        below = any(url != "/" and path.startswith(url) for url in urls)
        return Link(line.label, line.icon, urls[0], is_exact or below, is_exact)

    @cached_property
    def running_jobs(self) -> int:
        user = self._request.user
        return Job.objects.unfinished().filter(owner=user).count() if isinstance(user, User) else 0


def shell(request: HttpRequest) -> dict[str, Any]:
    """The frame of pages for people who are signed in."""
    return {"shell": Shell(request)}
