"""The field notebook: its page for the phone, and what the office sees of records and phones."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.roles import Can
from core.base.context import LANGUAGES
from core.base.errors import DomainError
from core.base.paging import keyset_page
from core.base.visitors import own_hosts
from core.documents.attaching import files_of
from marking.field_told import advice_of, comes_first, facts_of, problems_of
from marking.forms_field import EnterForm, ReasonForm
from marking.models import FieldDevice, FieldRecord
from marking.models.field import keeps_devices
from marking.selectors_field import choices_in
from marking.services.devices import may_keep_notebook, revoke_device
from marking.services.field import enter_waiting, set_aside
from marking.words_notebook import words_of_notebook

DOORS = (Can.OPEN_INTAKE, Can.REGISTER_SEIZURE, Can.SEE_EVERYTHING, Can.REVOKE_DEVICE)


@require_safe
def notebook(request: HttpRequest) -> HttpResponse:
    """The page that works without network. The same for everybody: what it shows, the phone keeps."""
    asked = request.GET.get("lang", "").lower()
    language = asked if asked in {one.code for one in LANGUAGES} else translation.get_language() or "kk"
    request.has_camera = True  # type: ignore[attr-defined]
    response = HttpResponse(notebook_page(language))
    response["Content-Language"] = language
    response["Cache-Control"] = "no-cache"
    return response


def notebook_page(language: str) -> str:
    """The page in a language; nothing of a person is in it, so a phone may keep it."""
    with translation.override(language):
        here = f"{reverse('marking:notebook')}?lang={language}"
        context = {
            "languages": LANGUAGES,
            "language": language,
            "page_theme": "",
            "here": here,
            "notebook": _for_script(language),
        }
        return render_to_string("marking/field/notebook.html", context)


def _for_script(language: str) -> dict[str, Any]:
    """Addresses and words that the script needs when there is nobody to ask."""
    return {
        "language": language,
        "words": words_of_notebook(),
        "choices": choices_in(language),
        "hosts": [settings.PUBLIC_HOST],
        "worker": reverse("marking:service-worker"),
        "reader": static("vendor/barcode-detector/ponyfill.js"),
        "wasm": static("vendor/barcode-detector/zxing_reader.wasm"),
        "urls": {
            "devices": reverse("v1:field-devices"),
            "hello": reverse("v1:field-hello"),
            "pack": reverse("v1:field-pack"),
            "records": reverse("v1:field-records"),
            "photos": reverse("v1:field-photos"),
        },
    }


@requires(*DOORS)
@require_safe
def field_records(request: SignedInRequest) -> HttpResponse:
    """What came from the field: first what waits for a decision."""
    known = FieldRecord.objects.visible_to(request.user)
    shows_all = request.GET.get("state") == "all"
    page = keyset_page((known if shows_all else known.waiting()).select_related("device__person", "intake"), request)
    context = {
        "page": page,
        "shows_all": shows_all,
        "waiting": known.waiting().count(),
        "may_keep": may_keep_notebook(request.user),
    }
    return render(request, "marking/field/records.html", context)


@requires(*DOORS)
@require_http_methods(["GET", "HEAD", "POST"])
def field_record(request: SignedInRequest, pk: int) -> HttpResponse:
    """One record as it was sent; while it waits, it is entered here or set aside."""
    kept = get_object_or_404(
        FieldRecord.objects.visible_to(request.user).select_related("device__person", "intake", "decided_by"), pk=pk
    )
    is_aside = request.POST.get("act") == "set_aside"
    without_label = {"label": "", "confirm_foreign": False} if request.POST.get("act") == "without_label" else {}
    enter_form = EnterForm(
        request.POST if request.method == "POST" and not is_aside else None, reader=request.user, kept=kept
    )
    reason_form = ReasonForm(request.POST if request.method == "POST" and is_aside else None)
    status, refusal = 200, ""
    if request.method == "POST":
        form = reason_form if is_aside else enter_form
        status = 422
        if form.is_valid():
            try:
                if is_aside:
                    set_aside(actor=request.user, at=timezone.now(), record_id=pk, **form.cleaned_data)
                else:
                    enter_waiting(
                        actor=request.user,
                        at=timezone.now(),
                        record_id=pk,
                        own_hosts=own_hosts(request),
                        **enter_form.chosen() | without_label,
                    )
            except DomainError as error:
                status = error.status
                refusal = " ".join([str(error), *(str(text) for text in error.fields.values())])
            else:
                messages.success(request, _("Set aside.") if is_aside else _("Entered."))
                return redirect("marking:field-record", pk=pk)
    context = {
        "kept": kept,
        "facts": facts_of(request.user, kept),
        "problems": problems_of(kept),
        "advice": advice_of(kept) if kept.is_waiting else "",
        "first": comes_first(kept),
        "photos": kept.photos.select_related("document"),
        "files": files_of(request.user, "field_record", kept.pk),
        "enter_form": enter_form,
        "reason_form": reason_form,
        "refusal": refusal,
        "may_keep": may_keep_notebook(request.user),
    }
    return render(request, "marking/field/record.html", context, status=status)


@requires(*DOORS)
@require_safe
def field_devices(request: SignedInRequest) -> HttpResponse:
    """Phones: one's own, and all for those who revoke them."""
    known = FieldDevice.objects.visible_to(request.user).select_related("person", "revoked_by")
    page = keyset_page(known, request, order=("-registered_at",))
    context = {"page": page, "sees_all": keeps_devices(request.user), "form": ReasonForm()}
    return render(request, "marking/field/devices.html", context)


@requires(*DOORS)
@require_POST
def revoke(request: SignedInRequest, pk: str) -> HttpResponse:
    """Refuse a phone for good."""
    device = get_object_or_404(FieldDevice.objects.visible_to(request.user), pk=pk)
    if device.person_id != request.user.pk and not keeps_devices(request.user):
        raise PermissionDenied
    try:
        revoke_device(actor=request.user, at=timezone.now(), device=device, reason=request.POST.get("reason", ""))
    except DomainError as error:
        messages.error(request, " ".join([str(error), *(str(text) for text in error.fields.values())]))
    else:
        messages.success(request, _("The phone is revoked. It wipes itself as soon as it has network."))
    return redirect("marking:field-devices")
