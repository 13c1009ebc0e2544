"""What the worker does for this room."""

from typing import Any

from celery import shared_task
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.jobs.models import Job
from core.jobs.services import Progress, runner
from marking.models import LabelRun
from marking.services.carrier_files import JOB_BIND, JOB_CHECK, run_binding, run_checking
from marking.services.checks import forget_old_checks, keep_checks
from marking.services.copies import find_copies
from marking.services.labels import JOB_KIND, draw_run
from marking.services.refusals import forget_old_refusals, keep_refusals, tell_refusals
from marking.services.registering import REGISTER_KIND, run_registering
from marking.services.reprints import settle_idle_reprints
from marking.services.shipments import tell_late_labels
from marking.services.snapshots import make_edition
from marking.services.stock import MAKE_KIND, run_making, tell_what_differs
from marking.services.tips import forget_senders


@runner(JOB_KIND, _("Printing labels"))
def print_labels(job: Job, progress: Progress) -> dict[str, Any]:
    """Draw the labels of the run that this job belongs to; its files are the result."""
    found = LabelRun.objects.select_related("intake", "store", "reel__series", "ordered_by", "own_stock")
    run = found.get(job=job)
    parts = draw_run(run, clock=timezone.now, progress=progress)
    return {"documents": [{"id": str(part.document_id), "name": part.document.name} for part in parts]}


@runner(MAKE_KIND, _("Drawing the codes of blank labels"))
def draw_codes(job: Job, progress: Progress) -> dict[str, Any]:
    """Lay out the reels of a large series, part by part."""
    return run_making(job, progress, clock=timezone.now)


@runner(REGISTER_KIND, _("Registering a reception"))
def register(job: Job, progress: Progress) -> dict[str, Any]:
    """Register and mark a long table; a repeat finds it done."""
    return run_registering(job, progress)


@runner(JOB_CHECK, _("Reading a file of state codes and seals"))
def check_carriers(job: Job, progress: Progress) -> dict[str, Any]:
    return run_checking(job, progress)


@runner(JOB_BIND, _("Binding state codes and seals"))
def bind_carriers(job: Job, progress: Progress) -> dict[str, Any]:
    return run_binding(job, progress)


@shared_task
def check_label_stock() -> int:
    """Tell of reels whose labels do not add up; how many. The database lets none come about."""
    return tell_what_differs(at=timezone.now())


@shared_task
def tell_late_labels_of_shipments() -> int:
    """Tell both sides of labels that did not arrive by their day; how many hand-overs."""
    return tell_late_labels(at=timezone.now())


@shared_task
def settle_orders_to_print_anew() -> int:
    """Close orders of stores whose labels are new, or have left with their goods; how many."""
    return settle_idle_reprints(at=timezone.now())


@shared_task
def make_snapshot() -> None:
    """A new edition of what phones know without network."""
    make_edition(at=timezone.now())


@shared_task
def look_for_copies() -> None:
    """Take what was checked, and what was refused, into the tables and look at it."""
    keep_checks()
    find_copies(at=timezone.now())
    if keep_refusals(at=timezone.now()):
        tell_refusals(at=timezone.now())


@shared_task
def forget_checks() -> None:
    """Checks are kept for a while, not for ever."""
    forget_old_checks(at=timezone.now())
    forget_old_refusals(at=timezone.now())


@shared_task
def forget_tip_senders() -> None:
    """Who told of a label is not kept for ever either."""
    forget_senders(at=timezone.now())
