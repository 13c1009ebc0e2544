"""Who may do what: roles in the words of the law, and what each is granted. The only such table."""

from enum import StrEnum, auto

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    INSPECTOR = "inspector", _("Inspector")
    STOREKEEPER = "storekeeper", _("Storekeeper")
    TRADER = "trader", _("Trader")
    PROCESSOR = "processor", _("Processor")
    VETERINARY_OFFICER = "veterinary_officer", _("Veterinary officer")
    AUTHORITY_OFFICER = "authority_officer", _("Authority officer")
    AUTHORITY_HEAD = "authority_head", _("Head of the authority")
    SCIENTIFIC_REVIEWER = "scientific_reviewer", _("Scientific reviewer")
    CUSTOMS_OFFICER = "customs_officer", _("Customs officer")
    AUDITOR = "auditor", _("Auditor")
    ADMINISTRATOR = "administrator", _("Administrator")


class Can(StrEnum):
    """One act, or one kind of knowledge."""

    OPEN_INTAKE = auto()
    REGISTER_SEIZURE = auto()
    PRINT_LABELS = auto()
    SEE_INTAKES = auto()
    SEE_STOCK = auto()
    DISPATCH = auto()
    RECEIVE = auto()
    KEEP_STORE = auto()
    APPLY = auto()
    SEE_APPLICATIONS = auto()
    DECIDE_APPLICATION = auto()
    SEE_STATEMENTS = auto()
    SEE_JOURNAL = auto()
    DECIDE_NOTICE = auto()
    SEE_RULES = auto()
    DRAFT_RULE = auto()
    ENACT_RULE = auto()
    MANAGE_PEOPLE = auto()
    CONFIRM_ROLES = auto()
    MANAGE_STORES = auto()
    KEEP_SEASONS = auto()
    CONFIRM_DECISION = auto()
    SEE_PERSONS = auto()
    REPORT_LOSS = auto()
    APPROVE_WRITE_OFF = auto()
    ORDER_DESTRUCTION = auto()
    CORRECT_MOVEMENT = auto()
    CLOSE_PERIOD = auto()
    PROCESS = auto()
    KEEP_CERTIFICATES = auto()
    ORDER_LABELS = auto()
    APPROVE_MARKS = auto()
    MANAGE_KEYS = auto()
    REVOKE_DEVICE = auto()
    SEE_EVERYTHING = auto()


_HOLDS_STOCK = frozenset(
    {Can.SEE_STOCK, Can.DISPATCH, Can.RECEIVE, Can.KEEP_STORE, Can.APPLY, Can.SEE_APPLICATIONS, Can.SEE_STATEMENTS}
) | {Can.DECIDE_NOTICE, Can.SEE_RULES, Can.REPORT_LOSS}
_SEES_ALL = frozenset(
    {Can.SEE_EVERYTHING, Can.SEE_STOCK, Can.SEE_INTAKES, Can.SEE_APPLICATIONS, Can.SEE_STATEMENTS, Can.SEE_RULES}
)

GRANTS: dict[Role, frozenset[Can]] = {
    Role.INSPECTOR: frozenset(
        {
            Can.OPEN_INTAKE,
            Can.KEEP_CERTIFICATES,
            Can.REGISTER_SEIZURE,
            Can.PRINT_LABELS,
            Can.SEE_INTAKES,
            Can.SEE_STOCK,
            Can.DISPATCH,
            Can.RECEIVE,
            Can.KEEP_STORE,
            Can.DECIDE_NOTICE,
            Can.SEE_RULES,
            Can.CONFIRM_DECISION,
            Can.SEE_PERSONS,
            Can.REPORT_LOSS,
            Can.ORDER_DESTRUCTION,
            Can.APPROVE_MARKS,
        }
    ),
    Role.STOREKEEPER: _HOLDS_STOCK
    | {Can.SEE_INTAKES, Can.PRINT_LABELS, Can.ORDER_DESTRUCTION, Can.PROCESS, Can.APPROVE_MARKS},
    Role.TRADER: _HOLDS_STOCK,
    Role.PROCESSOR: _HOLDS_STOCK | {Can.SEE_INTAKES, Can.PRINT_LABELS, Can.PROCESS, Can.APPROVE_MARKS},
    Role.VETERINARY_OFFICER: frozenset({Can.SEE_STOCK, Can.SEE_RULES, Can.KEEP_CERTIFICATES}),
    Role.AUTHORITY_OFFICER: _SEES_ALL
    | {Can.DECIDE_APPLICATION, Can.DRAFT_RULE, Can.DECIDE_NOTICE, Can.KEEP_SEASONS, Can.CONFIRM_DECISION}
    | {Can.APPROVE_WRITE_OFF, Can.ORDER_DESTRUCTION, Can.CORRECT_MOVEMENT, Can.ORDER_LABELS, Can.APPROVE_MARKS}
    | {Can.REVOKE_DEVICE},
    Role.AUTHORITY_HEAD: _SEES_ALL
    | {Can.DECIDE_APPLICATION, Can.ENACT_RULE, Can.DECIDE_NOTICE, Can.CONFIRM_DECISION, Can.SEE_PERSONS}
    | {Can.APPROVE_WRITE_OFF, Can.CORRECT_MOVEMENT, Can.CLOSE_PERIOD, Can.ORDER_LABELS, Can.APPROVE_MARKS}
    | {Can.MANAGE_KEYS, Can.REVOKE_DEVICE, Can.CONFIRM_ROLES},
    Role.SCIENTIFIC_REVIEWER: frozenset({Can.SEE_EVERYTHING, Can.SEE_STOCK, Can.SEE_APPLICATIONS, Can.SEE_RULES}),
    Role.CUSTOMS_OFFICER: frozenset({Can.SEE_APPLICATIONS, Can.SEE_RULES}),
    Role.AUDITOR: _SEES_ALL | {Can.SEE_JOURNAL},
    Role.ADMINISTRATOR: frozenset(
        {Can.MANAGE_PEOPLE, Can.CONFIRM_ROLES, Can.MANAGE_STORES, Can.SEE_RULES, Can.MANAGE_KEYS, Can.REVOKE_DEVICE}
    ),
}

# What is the second half of an act by two persons, or makes persons: a role that grants one of these is given by two.
DECIDES = frozenset(
    {
        Can.MANAGE_KEYS,
        Can.MANAGE_PEOPLE,
        Can.CONFIRM_ROLES,
        Can.DECIDE_APPLICATION,
        Can.ENACT_RULE,
        Can.CONFIRM_DECISION,
        Can.APPROVE_WRITE_OFF,
        Can.CORRECT_MOVEMENT,
        Can.CLOSE_PERIOD,
        Can.APPROVE_MARKS,
    }
)
DECIDING = frozenset(role for role, granted in GRANTS.items() if granted & DECIDES)
CONFIRMING = frozenset(role for role, granted in GRANTS.items() if Can.CONFIRM_ROLES in granted)
ASKING = frozenset(role for role, granted in GRANTS.items() if Can.MANAGE_PEOPLE in granted)

# In which kinds of organisation a role can be held; the words are those of Organisation.Kind. Nobody can be made an
# officer of the authority by being appointed in a trader's firm. The database refuses it too.
_KEEPERS = frozenset(
    {
        "ministry",
        "inspectorate",
        "enterprise",
        "scientific",
        "veterinary",
        "police",
        "customs",
        "court",
        "trader",
        "processor",
    }
)
HELD_IN: dict[Role, frozenset[str]] = {
    Role.INSPECTOR: frozenset({"inspectorate", "ministry", "enterprise"}),
    Role.STOREKEEPER: _KEEPERS,
    Role.TRADER: frozenset({"trader"}),
    Role.PROCESSOR: frozenset({"processor"}),
    Role.VETERINARY_OFFICER: frozenset({"veterinary"}),
    Role.AUTHORITY_OFFICER: frozenset({"ministry"}),
    Role.AUTHORITY_HEAD: frozenset({"ministry"}),
    Role.SCIENTIFIC_REVIEWER: frozenset({"scientific"}),
    Role.CUSTOMS_OFFICER: frozenset({"customs"}),
    Role.AUDITOR: frozenset({"auditor", "ministry", "court"}),
    Role.ADMINISTRATOR: frozenset({"ministry", "operator"}),
}
