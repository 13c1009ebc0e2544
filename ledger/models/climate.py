"""Temperature and humidity of stores: readings, what is outside the band, and who keeps silent."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.base.triggers import append_only, final_once, fixed, never_deleted
from ledger.models.accounts import CustodyAccount


class ClimateReading(models.Model):
    """What one sensor, or a person with a thermometer, read at one moment. Tenths of a degree and of a per cent."""

    account = models.ForeignKey(CustodyAccount, on_delete=models.PROTECT, related_name="readings", db_index=False)
    sensor = models.CharField(_("sensor"), max_length=40, blank=True)
    at = models.DateTimeField()
    temperature = models.SmallIntegerField(null=True)
    humidity = models.SmallIntegerField(null=True)
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    entered_at = models.DateTimeField()

    class Meta:
        ordering = ["-at"]
        constraints = [
            models.UniqueConstraint(fields=["account", "at", "sensor"], name="one_reading_of_a_sensor_at_a_moment"),
            models.CheckConstraint(
                condition=Q(temperature__isnull=False) | Q(humidity__isnull=False), name="reading_says_something"
            ),
            models.CheckConstraint(
                condition=Q(temperature=None) | Q(temperature__gte=-900, temperature__lte=900),
                name="reading_temperature_plausible",
            ),
            models.CheckConstraint(
                condition=Q(humidity=None) | Q(humidity__gte=0, humidity__lte=1000), name="reading_humidity_plausible"
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [*append_only()]

    def __str__(self) -> str:
        return f"{self.account_id} {self.at:%Y-%m-%d %H:%M}"

    @property
    def celsius(self) -> float | None:
        return None if self.temperature is None else self.temperature / 10

    @property
    def percent(self) -> float | None:
        return None if self.humidity is None else self.humidity / 10


class ClimateExcursion(models.Model):
    """A time in which a store was too warm, too cold, too damp, or its sensors silent. Told once, as it begins."""

    class Kind(models.TextChoices):
        WARM = "warm", _("Too warm")
        COLD = "cold", _("Too cold")
        DAMP = "damp", _("Too damp")
        SILENT = "silent", _("No readings")

    account = models.ForeignKey(CustodyAccount, on_delete=models.PROTECT, related_name="excursions", db_index=False)
    kind = models.CharField(max_length=6, choices=Kind)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    limit = models.SmallIntegerField(null=True)
    worst = models.SmallIntegerField(null=True)

    class Meta:
        ordering = ["-began_at"]
        indexes = [models.Index(fields=["account", "-began_at"])]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "kind"], condition=Q(ended_at=None), name="one_open_excursion_of_a_kind"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("began_at")), name="excursion_ends_after_it_began"
            ),
        ]
        triggers: list[pgtrigger.Trigger] = [
            *never_deleted(),
            fixed("excursion_is_fixed", "account", "kind", "began_at", "limit"),
            final_once("excursion_ended_for_good", pgtrigger.Q(old__ended_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.kind} {self.began_at:%Y-%m-%d %H:%M}"

    @property
    def worst_value(self) -> float | None:
        return None if self.worst is None else self.worst / 10


class ClimateWatch(models.Model):
    """A store whose sensors write by themselves: silence longer than so many minutes is told."""

    account = models.OneToOneField(CustodyAccount, on_delete=models.PROTECT, primary_key=True, related_name="watch")
    minutes = models.PositiveIntegerField()
    since = models.DateTimeField()
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(minutes__gte=5, minutes__lte=10080), name="watch_minutes_plausible")
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.minutes}"
