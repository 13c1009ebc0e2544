"""Telling what is wrong with a label, and reading it in the office."""

from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.views.csrf import csrf_failure
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.roles import Can
from core.base.errors import NotAllowed
from core.base.language import speaks
from core.base.paging import keyset_page
from core.base.ratelimit import allow
from core.base.uploads import MEGABYTE, takes
from core.base.visitors import address_of, is_sent_by_another_site, own_hosts
from core.documents.pictures import UnusableFile
from marking.forms_tips import TipForm
from marking.limits import TIP_FORMS, TIPS, TIPS_SECONDS
from marking.models import Mark, Tip
from marking.models.tips import may_see_contacts
from marking.refusals import note_refusal
from marking.services.tips import MAX_PHOTO_BYTES, look_at_contact, take_tip
from marking.views.check import LANGUAGES, language_of

# The photo and what is written beside it.
MOST_BYTES = MAX_PHOTO_BYTES + MEGABYTE


@csrf_exempt
@speaks(language_of)
@takes(MOST_BYTES)
@require_http_methods(["GET", "HEAD", "POST"])
def tip(request: HttpRequest) -> HttpResponse:
    """The form, and its answer. No sign-in.

    Forms are counted before anything is read of them, also by the protection against forged requests, which comes
    after: what does not fit costs us the same. Tips are counted when they are taken. What another site had a browser
    send is refused before that: it would use up what the visitor may tell.
    """
    if request.method == "POST" and is_sent_by_another_site(request):
        return csrf_failure(request)
    if request.method == "POST" and not allow(f"tip-form:{address_of(request)}", limit=TIP_FORMS, seconds=TIPS_SECONDS):
        note_refusal("tip", address_of(request))
        return _tip_page(request, 429)
    return _counted_tip(request)


@csrf_protect
def _counted_tip(request: HttpRequest) -> HttpResponse:
    return _tip_page(request, 200)


def _tip_page(request: HttpRequest, status: int) -> HttpResponse:
    language = language_of(request)
    with translation.override(language):
        sent = request.method == "POST" and status == 200
        form = TipForm(
            request.POST if sent else None,
            request.FILES if sent else None,
            initial={"read": request.GET.get("text", "")[:500]},
        )
        if sent:
            status = 422
            counted = f"tip:{address_of(request)}"
            if form.is_valid() and not allow(counted, limit=TIPS, seconds=TIPS_SECONDS):
                note_refusal("tip", address_of(request))
                status = 429
            elif form.is_valid():
                try:
                    take_tip(at=timezone.now(), language=language, own_hosts=own_hosts(request), **form.cleaned_data)
                except UnusableFile as refusal:
                    allow(counted, limit=TIPS, seconds=TIPS_SECONDS, cost=-1)  # not taken: given back
                    form.add_error("photo", str(refusal.message))
                else:
                    return redirect(f"{reverse('marking:tip-taken')}?lang={language}")
        context = {"form": form, "too_many": status == 429, "languages": LANGUAGES, "language": language}
        response = render(request, "marking/public/tip.html", context, status=status)
    response["Content-Language"] = language
    patch_vary_headers(response, ["Accept-Language"])
    response["Cache-Control"] = "no-store"
    return response


@require_safe
def tip_taken(request: HttpRequest) -> HttpResponse:
    """Thanks."""
    language = language_of(request)
    with translation.override(language):
        response = render(request, "marking/public/tip_taken.html", {"languages": LANGUAGES, "language": language})
    response["Content-Language"] = language
    patch_vary_headers(response, ["Accept-Language"])
    return response


@requires(Can.SEE_EVERYTHING)
@require_safe
def tips(request: SignedInRequest) -> HttpResponse:
    """What people told, the newest first."""
    page = keyset_page(Tip.objects.visible_to(request.user), request, order=("-at",))
    return render(request, "marking/tips.html", {"page": page})


@requires(Can.SEE_EVERYTHING)
@require_safe
def read_tip(request: SignedInRequest, pk: str) -> HttpResponse:
    """One tip, and the item whose mark it names."""
    found = get_object_or_404(Tip.objects.visible_to(request.user), pk=pk)
    return _read(request, found, None)


@requires(Can.SEE_EVERYTHING)
@require_POST
def tip_contact(request: SignedInRequest, pk: str) -> HttpResponse:
    """How to reach the sender, for who looks into it; opening this is written into the journal."""
    found = get_object_or_404(Tip.objects.visible_to(request.user), pk=pk)
    try:
        contact = look_at_contact(actor=request.user, at=timezone.now(), tip=found)
    except NotAllowed:
        raise PermissionDenied from None
    return _read(request, found, contact)


def _read(request: SignedInRequest, found: Tip, contact: str | None) -> HttpResponse:
    mark = Mark.objects.select_related("derivative").filter(pk=found.code).first() if found.code else None
    context = {"tip": found, "mark": mark, "contact": contact, "may_see_contact": may_see_contacts(request.user)}
    response = render(request, "marking/tip.html", context)
    response["Cache-Control"] = "no-store"
    return response


@requires(Can.SEE_EVERYTHING)
@require_safe
def tip_photo(request: SignedInRequest, pk: str) -> FileResponse:
    """The photo as it was redrawn."""
    found = get_object_or_404(Tip.objects.visible_to(request.user), pk=pk)
    if not found.photo:
        raise Http404
    response = FileResponse(found.photo.open("rb"), content_type="image/jpeg")
    response["Cache-Control"] = "private, max-age=3600"
    return response
