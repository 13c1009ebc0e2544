"""Who acts: regions, organisations, people, and the roles people hold in organisations."""

from datetime import date, datetime, timedelta
from functools import cached_property

import pgtrigger
from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from core.accounts import triggers
from core.accounts.bin import is_valid_bin
from core.accounts.roles import GRANTS, Can, Role
from core.base.clock import day_of
from core.base.triggers import final_once, fixed, never_deleted


class ThreeNames(models.Model):
    """A thing that people of three languages call by name."""

    name_kk = models.CharField(_("name in Kazakh"), max_length=200)
    name_ru = models.CharField(_("name in Russian"), max_length=200)
    name_en = models.CharField(_("name in English"), max_length=200)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name in the reader's language."""
        return self.name_in(get_language() or settings.LANGUAGE_CODE)

    def name_in(self, language: str) -> str:
        names = {"kk": self.name_kk, "ru": self.name_ru, "en": self.name_en}
        return names.get(language[:2], self.name_kk)


class Region(ThreeNames):
    """One of the 20 first-level regions, keyed by the first two digits of KATO."""

    code = models.CharField(max_length=2, primary_key=True)
    iso = models.CharField(_("ISO 3166-2 code"), max_length=6, unique=True)

    class Meta:
        ordering = ["code"]


def validate_bin(value: str) -> None:
    if not is_valid_bin(value):
        raise ValidationError(_("%(value)s is not a valid BIN: check the 12 digits."), params={"value": value})


class OrganisationQuerySet(models.QuerySet["Organisation"]):
    def active(self) -> "OrganisationQuerySet":
        return self.filter(is_active=True)


class Organisation(ThreeNames):
    """A legal person that holds goods, decides, or checks; known by its BIN, which never changes."""

    class Kind(models.TextChoices):
        MINISTRY = "ministry", _("Ministry or committee")
        INSPECTORATE = "inspectorate", _("Territorial inspection")
        ENTERPRISE = "enterprise", _("State enterprise")
        SCIENTIFIC = "scientific", _("Scientific institution")
        VETERINARY = "veterinary", _("Veterinary service")
        POLICE = "police", _("Police")
        CUSTOMS = "customs", _("Customs or Border Service")
        COURT = "court", _("Court or prosecutor")
        TRADER = "trader", _("Trader")
        PROCESSOR = "processor", _("Processor")
        AUDITOR = "auditor", _("Auditor")
        OPERATOR = "operator", _("State marking operator")

    STATE_BODIES = (
        Kind.MINISTRY,
        Kind.INSPECTORATE,
        Kind.ENTERPRISE,
        Kind.SCIENTIFIC,
        Kind.VETERINARY,
        Kind.POLICE,
        Kind.CUSTOMS,
        Kind.COURT,
    )

    bin = models.CharField(_("BIN"), max_length=12, unique=True, validators=[validate_bin])
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    region = models.ForeignKey(
        Region, verbose_name=_("region"), null=True, blank=True, on_delete=models.PROTECT, related_name="organisations"
    )
    is_active = models.BooleanField(_("active"), default=True)

    objects = OrganisationQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [models.CheckConstraint(condition=Q(bin__regex=r"^[0-9]{4}[4-6][0-9]{7}$"), name="bin_form")]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("bin_is_fixed", "bin"),
            triggers.bin_check_digit(),
            triggers.kind_fits_appointments(),
            triggers.two_who_give_roles_remain_elsewhere(),
        ]

    @property
    def is_state(self) -> bool:
        """True for bodies of the State, which may pass goods to each other without a permit."""
        return self.kind in self.STATE_BODIES


class User(AbstractUser):
    """A person. What the person may do follows from the appointments in force, never from flags."""

    patronymic = models.CharField(_("patronymic"), max_length=150, blank=True)
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES, default="kk")

    class Meta(AbstractUser.Meta):
        abstract = False
        ordering = ["last_name", "first_name", "pk"]
        constraints = [
            models.UniqueConstraint(Lower("username"), name="one_person_per_username"),
            models.UniqueConstraint(Lower("email"), condition=~Q(email=""), name="one_person_per_email"),
        ]
        triggers: list[pgtrigger.Trigger] = [*never_deleted()]

    @property
    def full_name(self) -> str:
        """Family name first, as people are written in acts."""
        return " ".join(part for part in (self.last_name, self.first_name, self.patronymic) if part) or self.username

    @cached_property
    def appointments_in_force(self) -> list["Appointment"]:
        if not self.is_active:
            return []
        in_force = self.appointments.in_force(day_of(timezone.now()))
        return list(in_force.select_related("organisation"))

    def forget_roles(self) -> None:
        """Read the appointments anew on the next question; for whoever has just changed them."""
        for name in ("appointments_in_force", "roles", "capabilities"):
            self.__dict__.pop(name, None)

    @cached_property
    def roles(self) -> frozenset[Role]:
        return frozenset(Role(appointment.role) for appointment in self.appointments_in_force)

    @cached_property
    def capabilities(self) -> frozenset[Can]:
        return frozenset().union(*(GRANTS[role] for role in self.roles))

    def can(self, act: Can) -> bool:
        return act in self.capabilities

    def organisation_ids(self, act: Can | None = None) -> frozenset[int]:
        """Organisations the person acts for; with `act`, those where the person's role grants it."""
        return frozenset(
            a.organisation_id for a in self.appointments_in_force if act is None or act in GRANTS[Role(a.role)]
        )

    def region_codes(self, act: Can | None = None) -> frozenset[str]:
        """Regions the person's roles are bound to: those of the appointment, else of the organisation."""
        codes: set[str] = set()
        # Only here, because most pages never ask for regions.
        models.prefetch_related_objects(self.appointments_in_force, "regions")
        for appointment in self.appointments_in_force:
            if act is not None and act not in GRANTS[Role(appointment.role)]:
                continue
            bound = [region.code for region in appointment.regions.all()]
            if not bound and appointment.organisation.region_id:
                bound = [appointment.organisation.region_id]
            codes.update(bound)
        return frozenset(codes)

    def __str__(self) -> str:
        return self.full_name


class AppointmentQuerySet(models.QuerySet["Appointment"]):
    def not_ended(self) -> "AppointmentQuerySet":
        return self.filter(ended_at=None)

    def in_force(self, on: date) -> "AppointmentQuerySet":
        """Those that give their role on the day: not ended, in their period, in an organisation that is active."""
        return self.not_ended().filter(
            Q(valid_until=None) | Q(valid_until__gte=on), valid_from__lte=on, organisation__is_active=True
        )


class Appointment(models.Model):
    """A person holds a role in an organisation from a day until a day, perhaps for certain regions only.

    Nobody appoints oneself. Only the first two administrators were appointed by nobody, and whoever came in when there
    were not two left who give roles. A role that decides is given by two persons: its appointment names the request
    that the second confirmed. An appointment never changes: it is ended, which works from that moment, and another one
    made; but two persons who give roles remain.
    """

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="appointments", verbose_name=_("person"))
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="appointments", verbose_name=_("organisation")
    )
    role = models.CharField(_("role"), max_length=20, choices=Role)
    regions = models.ManyToManyField(Region, blank=True, verbose_name=_("regions"))
    valid_from = models.DateField(_("valid from"))
    valid_until = models.DateField(_("valid until"), null=True, blank=True)
    appointed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    request = models.OneToOneField(
        "RoleRequest", null=True, on_delete=models.PROTECT, related_name="appointment", editable=False
    )
    ended_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)

    objects = AppointmentQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gte=F("valid_from")), name="appointment_period"
            ),
            models.CheckConstraint(
                condition=Q(appointed_by=None) | ~Q(appointed_by=F("user")), name="nobody_appoints_oneself"
            ),
            models.UniqueConstraint(
                fields=["user", "organisation", "role"],
                condition=Q(valid_until=None, ended_at=None),
                name="one_open_appointment",
            ),
            models.CheckConstraint(
                condition=Q(ended_by=None, ended_at=None)
                | (Q(ended_by__isnull=False, ended_at__isnull=False) & ~Q(ended_by=F("user"))),
                name="appointment_ended_by_another",
            ),
            models.CheckConstraint(
                condition=Q(appointed_by__isnull=False) | Q(role=Role.ADMINISTRATOR),
                name="everybody_is_appointed_by_somebody",
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("appointment_is_fixed", "user", "organisation", "role", "valid_from", "valid_until", "appointed_by"),
            fixed("appointment_keeps_its_request", "request"),
            final_once("appointment_ended_for_good", pgtrigger.Q(old__ended_at__isnull=False)),
            triggers.role_fits_organisation(),
            triggers.deciding_role_is_given_by_two(),
            triggers.two_are_appointed_by_nobody(),
            triggers.two_who_give_roles_remain(),
        ]

    def __str__(self) -> str:
        return f"{Role(self.role).label}, {self.organisation}"

    def is_in_force(self, on: date) -> bool:
        """True when not ended, on a day from the first to the last, both included."""
        return self.ended_at is None and self.valid_from <= on and (self.valid_until is None or on <= self.valid_until)


class RoleRequest(models.Model):
    """A role that decides, asked for a person by one administrator; another person confirms or refuses it.

    The role is in force when it is confirmed, not before: the appointment is made in the same transaction.
    """

    class State(models.TextChoices):
        ASKED = "asked", _("Waits for a second person")
        CONFIRMED = "confirmed", _("Confirmed")
        REFUSED = "refused", _("Refused")

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="role_requests", verbose_name=_("person"))
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    role = models.CharField(_("role"), max_length=20, choices=Role)
    regions = ArrayField(models.CharField(max_length=2), default=list, blank=True)
    valid_from = models.DateField(null=True)
    valid_until = models.DateField(null=True)
    reason = models.CharField(max_length=200)
    state = models.CharField(max_length=9, choices=State, default=State.ASKED)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("Request for a role")
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="role_request_has_a_reason"),
            models.CheckConstraint(condition=~Q(asked_by=F("user")), name="nobody_asks_a_role_for_oneself"),
            models.CheckConstraint(
                condition=Q(state="asked", decided_by=None, decided_at=None)
                | Q(state__in=["confirmed", "refused"], decided_by__isnull=False, decided_at__isnull=False),
                name="role_request_state_has_its_moment",
            ),
            models.CheckConstraint(
                condition=~Q(state="confirmed") | (~Q(decided_by=F("asked_by")) & ~Q(decided_by=F("user"))),
                name="nobody_confirms_own_role_request",
            ),
            models.UniqueConstraint(
                fields=["user", "organisation", "role"], condition=Q(state="asked"), name="one_waiting_role_request"
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed(
                "role_request_is_fixed",
                "user",
                "organisation",
                "role",
                "regions",
                "valid_from",
                "valid_until",
                "reason",
                "asked_by",
                "asked_at",
            ),
            final_once("role_request_ends_once", pgtrigger.Q(old__state__in=["confirmed", "refused"])),
            triggers.role_request_is_confirmed_by_another(),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.role}"

    @property
    def is_open(self) -> bool:
        return self.state == self.State.ASKED


def people_known_to(user: User) -> models.QuerySet[User]:
    """Everybody, for whoever manages people."""
    return User.objects.all() if user.can(Can.MANAGE_PEOPLE) else User.objects.none()


def organisations_known_to(user: User) -> models.QuerySet[Organisation]:
    """Every organisation, for whoever manages people."""
    return Organisation.objects.all() if user.can(Can.MANAGE_PEOPLE) else Organisation.objects.none()


LONGEST_TOKEN = timedelta(days=366)


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def usable(self, at: datetime) -> "ApiTokenQuerySet":
        """Neither revoked nor expired, of a person who is active."""
        return self.filter(revoked_at=None, expires_at__gt=at, user__is_active=True)


class ApiToken(models.Model):
    """A key for programs. Only its SHA-256 is kept; it ends within 366 days and can be revoked, for good."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="api_tokens")
    name = models.CharField(_("what it is for"), max_length=100)
    prefix = models.CharField(max_length=8)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_used_on = models.DateField(null=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at"), expires_at__lte=F("created_at") + LONGEST_TOKEN),
                name="token_expires",
            ),
            models.CheckConstraint(condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="token_digest"),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("token_is_fixed", "user", "name", "prefix", "digest", "created_at", "expires_at"),
            final_once("revoked_for_good", pgtrigger.Q(old__revoked_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def is_usable(self, at: datetime) -> bool:
        """True while it is neither revoked nor expired."""
        return self.revoked_at is None and self.expires_at > at


class ApiRequest(models.Model):
    """The first answer to a write that carried an Idempotency-Key; a repeat gets the same answer.

    Written in the transaction of the act itself, so an answer is kept if and only if the act was done.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=100)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    body = models.JSONField(null=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["at"])]
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="one_answer_per_key")]

    def __str__(self) -> str:
        return self.key
