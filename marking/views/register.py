"""Registering an intake: the one button at the end of weighing."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from core.accounts.doors import SignedInRequest, requires
from core.accounts.roles import Can
from core.base.errors import DomainError
from marking.forms import RegisterForm
from marking.services.issue import register_and_mark
from registry.models import Intake


@requires(Can.OPEN_INTAKE, Can.REGISTER_SEIZURE)
@require_POST
def register(request: SignedInRequest, pk: int) -> HttpResponse:
    """Register and mark everything on the weighing table; then to the page of the intake, where labels are printed."""
    intake = get_object_or_404(Intake.objects.visible_to(request.user), pk=pk)
    form = RegisterForm(request.POST)
    if not form.is_valid():
        for errors in form.errors.values():
            messages.error(request, " ".join(str(error) for error in errors))
        return redirect("registry:intake", pk)
    try:
        done = register_and_mark(
            actor=request.user,
            at=timezone.now(),
            intake=intake,
            explanation=form.cleaned_data["explanation"],
            confirm_band=form.cleaned_data["confirm_band"],
            version=form.cleaned_data["version"],
        )
    except DomainError as refusal:
        said = [str(refusal.message), *(str(text) for text in refusal.fields.values())]
        messages.error(request, " ".join(dict.fromkeys(said)))
    else:
        said_done = ngettext(
            "%(count)d horn registered and marked. Print its label.",
            "%(count)d horns registered and marked. Print their labels.",
            done.count,
        )
        messages.success(request, said_done % {"count": done.count})
    return redirect("registry:intake", pk)
