"""The menu: what each role does, in its own words."""

from dataclasses import dataclass
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
    """A page of the menu; shown to those of the role who also hold the capability."""

    label: StrOrPromise
    url_name: str
    icon: str
    needs: Can | None = None


HOME = Entry(_("What waits for me"), "reports:home", "home")
RULES = Entry(_("Rules in force"), "rules:rules", "gavel", Can.SEE_RULES)
ITEMS = Entry(_("Horns and other items"), "reports:items", "list-details", Can.SEE_STOCK)
STATEMENTS = Entry(_("Stock statements"), "reports:statements", "report", Can.SEE_STATEMENTS)
SEASONS = Entry(_("Seasons"), "registry:seasons", "calendar", Can.KEEP_SEASONS)
INTAKES = Entry(_("Receptions"), "registry:intakes", "clipboard-list", Can.SEE_INTAKES)

_HOLDER = (
    HOME,
    Entry(_("My stock"), "reports:stock", "building-warehouse", Can.SEE_STOCK),
    ITEMS,
    Entry(_("My applications"), "permits:applications", "file-plus", Can.SEE_APPLICATIONS),
    Entry(_("My permits"), "permits:permits", "certificate", Can.SEE_APPLICATIONS),
    Entry(_("Hand-overs"), "permits:handovers", "truck-delivery", Can.RECEIVE),
    Entry(_("Discrepancies"), "notices:inbox", "alert-triangle", Can.DECIDE_NOTICE),
    STATEMENTS,
)
# Permits in force are counted and opened on the first page of the authority.
_AUTHORITY = (
    HOME,
    Entry(_("Applications to decide"), "permits:applications", "inbox", Can.SEE_APPLICATIONS),
    INTAKES,
    SEASONS,
    Entry(_("Stock of the country"), "reports:stock", "building-warehouse", Can.SEE_STOCK),
    Entry(_("Alerts"), "notices:inbox", "alert-triangle", Can.DECIDE_NOTICE),
    STATEMENTS,
    RULES,
)

MENUS: dict[Role, tuple[Entry, ...]] = {
    Role.INSPECTOR: (
        HOME,
        Entry(_("Reception of horns"), "registry:intakes", "clipboard-list", Can.SEE_INTAKES),
        Entry(_("Labels"), "marking:label-runs", "printer", Can.PRINT_LABELS),
        Entry(_("Hand-overs"), "permits:handovers", "truck-delivery", Can.DISPATCH),
        Entry(_("Stock"), "reports:stock", "building-warehouse", Can.SEE_STOCK),
        ITEMS,
        Entry(_("Discrepancies"), "notices:inbox", "alert-triangle", Can.DECIDE_NOTICE),
        RULES,
    ),
    Role.STOREKEEPER: (
        HOME,
        Entry(_("Arrivals and departures"), "permits:handovers", "truck-delivery", Can.RECEIVE),
        Entry(_("Stock"), "reports:stock", "building-warehouse", Can.SEE_STOCK),
        ITEMS,
        INTAKES,
        Entry(_("Discrepancies"), "notices:inbox", "alert-triangle", Can.DECIDE_NOTICE),
        Entry(_("Permits and applications"), "permits:applications", "certificate", Can.SEE_APPLICATIONS),
        STATEMENTS,
    ),
    Role.TRADER: _HOLDER,
    Role.PROCESSOR: _HOLDER,
    Role.VETERINARY_OFFICER: (
        HOME,
        Entry(_("Stock"), "reports:stock", "building-warehouse", Can.SEE_STOCK),
        ITEMS,
        RULES,
    ),
    Role.AUTHORITY_OFFICER: _AUTHORITY,
    Role.AUTHORITY_HEAD: _AUTHORITY,
    Role.SCIENTIFIC_REVIEWER: (
        HOME,
        Entry(_("Applications"), "permits:applications", "inbox", Can.SEE_APPLICATIONS),
        Entry(_("Stock of the country"), "reports:stock", "building-warehouse", Can.SEE_STOCK),
        ITEMS,
        RULES,
    ),
    Role.CUSTOMS_OFFICER: (
        HOME,
        Entry(_("Permits"), "permits:permits", "certificate", Can.SEE_APPLICATIONS),
        Entry(_("Applications"), "permits:applications", "inbox", Can.SEE_APPLICATIONS),
        RULES,
    ),
    Role.AUDITOR: (
        HOME,
        STATEMENTS,
        Entry(_("Journal of all acts"), "reports:journal", "history", Can.SEE_JOURNAL),
        Entry(_("Stock of the country"), "reports:stock", "building-warehouse", Can.SEE_STOCK),
        ITEMS,
        INTAKES,
        Entry(_("Permits"), "permits:permits", "certificate", Can.SEE_APPLICATIONS),
        RULES,
    ),
    Role.ADMINISTRATOR: (
        HOME,
        Entry(_("People and roles"), "accounts:people", "users", Can.MANAGE_PEOPLE),
        Entry(_("Organisations"), "accounts:organisations", "building-bank", Can.MANAGE_PEOPLE),
        Entry(_("Stores and evidence rooms"), "ledger:stores", "building-warehouse", Can.MANAGE_STORES),
        RULES,
        Entry(_("Keys for programs"), "accounts:tokens", "key"),
    ),
}


def entries_for(user: User) -> list[Entry]:
    """The union of the menus of a person's roles, each page once, in the words of the first role that has it."""
    found: dict[str, Entry] = {}
    for role in Role:
        if role in user.roles:
            for entry in MENUS[role]:
                if entry.needs is None or user.can(entry.needs):
                    found.setdefault(entry.url_name, entry)
    return list(found.values()) or [HOME]


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
        user = self._request.user
        if not isinstance(user, User):
            return []
        path = self._request.path
        links = []
        for entry in entries_for(user):
            url = reverse(entry.url_name)
            is_exact = path == url
            below = url != "/" and path.startswith(url)
            links.append(Link(entry.label, entry.icon, url, is_exact or below, is_exact))
        return links

    @cached_property
    def running_jobs(self) -> int:
        user = self._request.user
        return Job.objects.unfinished().filter(owner=user).count() if isinstance(user, User) else 0


def shell(request: HttpRequest) -> dict[str, Any]:
    """The frame of pages for people who are signed in."""
    return {"shell": Shell(request)}
