"""Registering an intake: the one button at the end of weighing."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from core.accounts.doors import SignedInRequest, requires
from core.accounts.models import User
from core.accounts.roles import Can
from core.base.errors import DomainError
from marking.forms import RegisterForm
from marking.services.issue import register_and_mark
from marking.services.orders import LabelOrder, usual_order
from marking.services.registering import LONG, refusal_by_rows, start_registering
from registry.models import Intake


@requires(Can.OPEN_INTAKE, Can.REGISTER_SEIZURE)
@require_POST
def register(request: SignedInRequest, pk: int) -> HttpResponse:
    """Register and mark everything on the weighing table and, if wished, order the labels as the person did last.

    Then to the labels that are being made, or to the page of the intake.
    """
    intake = get_object_or_404(Intake.objects.visible_to(request.user), pk=pk)
    form = RegisterForm(request.POST)
    if not form.is_valid():
        for errors in form.errors.values():
            messages.error(request, " ".join(str(error) for error in errors))
        return redirect("registry:intake", pk)
    wishes = {
        "explanation": form.cleaned_data["explanation"],
        "confirm_band": form.cleaned_data["confirm_band"],
        "band_reason": form.cleaned_data["band_reason"],
        "version": form.cleaned_data["version"],
        "mark": form.mark_wanted(),
        "order": _usual_order(request.user) if form.cleaned_data["print"] else None,
    }
    if intake.is_open and intake.rows.count() > LONG:
        job = start_registering(actor=request.user, at=timezone.now(), intake=intake, **wishes)
        return redirect("jobs:job", job.pk)
    try:
        done = register_and_mark(
            actor=request.user,
            at=timezone.now(),
            intake=intake,
            **wishes,
        )
    except DomainError as refusal:
        said = [str(refusal.message), *refusal_by_rows(refusal)]
        messages.error(request, " ".join(dict.fromkeys(said)))
    else:
        said_done = ngettext("%(count)d derivative registered.", "%(count)d derivatives registered.", done.count)
        messages.success(request, said_done % {"count": done.count})
        if done.label_run is not None:
            return redirect("marking:label-run", done.label_run.pk)
    return redirect("registry:intake", pk)


def _usual_order(person: User) -> LabelOrder | None:
    """What the person printed on last, from a new sheet; None for those who do not print."""
    if not person.can(Can.PRINT_LABELS):
        return None
    return usual_order(person)
