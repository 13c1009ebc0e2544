"""Files of anything: shown, added, withdrawn. Whoever may not know the subject finds nothing here."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.subjects import label_of, may_add, may_see, pages_of
from core.base.errors import DomainError, NotFound
from core.base.refusals import add_refusal
from core.base.uploads import takes_films
from core.documents.attaching import Outcome, attach_files, is_kept, visible_attachment, withdraw_file
from core.documents.files import serve, serve_thumbnail
from core.documents.forms import WithdrawalForm
from core.documents.models import Attachment


@requires()
@require_safe
def file(request: SignedInRequest, pk: UUID) -> HttpResponseBase:
    """The file as it was given; with ?save it is saved, whatever it is."""
    return serve(_attachment(request, pk).document, download="save" in request.GET)


@requires()
@require_safe
def small(request: SignedInRequest, pk: UUID) -> HttpResponseBase:
    """A small picture of a photo."""
    document = _attachment(request, pk).document
    if not document.is_photo:
        raise Http404
    return serve_thumbnail(document)


@requires()
@require_safe
def gallery(request: SignedInRequest, kind: str, key: str) -> HttpResponse:
    """All files of one subject on a page of their own, for what has no page."""
    if not may_see(request.user, kind, key):
        raise Http404
    page = pages_of(request.user, [(kind, key)]).get((kind, key), "")
    context = {"kind": kind, "key": key, "label": label_of(kind), "page_of_subject": page}
    return render(request, "documents/gallery.html", context)


@takes_films
@requires()
@require_POST
def add(request: SignedInRequest, kind: str, key: str) -> HttpResponse | HttpResponseRedirect:
    """Several files at once, each with its own result."""
    outcomes: list[Outcome] = []
    refused = ""
    try:
        outcomes = attach_files(
            actor=request.user,
            at=timezone.now(),
            subject=(kind, key),
            files=request.FILES.getlist("files"),
            caption=request.POST.get("caption", ""),
        )
    except NotFound:
        raise Http404 from None
    except DomainError as refusal:
        refused = " ".join(str(text) for text in refusal.fields.values()) or str(refusal)
    if request.htmx:
        context = {"kind": kind, "key": key, "outcomes": outcomes, "refused": refused}
        return render(request, "documents/_files_now.html", context)
    _tell(request, outcomes, refused)
    return redirect(_back(request, kind, key))


@requires()
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: SignedInRequest, pk: UUID) -> HttpResponse | HttpResponseRedirect:
    """A file that was added wrongly: asked first, then marked."""
    attachment = _attachment(request, pk)
    kind, key = attachment.subject_kind, attachment.subject_id
    form = WithdrawalForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            withdraw_file(actor=request.user, at=timezone.now(), attachment=attachment, **form.cleaned_data)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("File withdrawn."))
            return redirect(_back(request, kind, key))
    context = {
        "form": form,
        "attachment": attachment,
        "back": _back(request, kind, key),
        "may_withdraw": may_add(request.user, kind, key) and not hasattr(attachment, "withdrawal"),
        "is_kept": is_kept(attachment),
    }
    return render(request, "documents/withdraw.html", context, status=422 if form.errors else 200)


def _attachment(request: SignedInRequest, pk: UUID) -> Attachment:
    try:
        return visible_attachment(request.user, pk)
    except NotFound:
        raise Http404 from None


def _back(request: SignedInRequest, kind: str, key: str) -> str:
    """The page the person came from, or the subject's."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if wanted and url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}):
        return wanted
    return pages_of(request.user, [(kind, key)]).get((kind, key)) or reverse("documents:gallery", args=[kind, key])


def _tell(request: SignedInRequest, outcomes: list[Outcome], refused: str) -> None:
    if refused:
        messages.error(request, refused)
    kept = sum(1 for outcome in outcomes if outcome.attachment)
    if kept:
        messages.success(request, ngettext("%(count)d file added.", "%(count)d files added.", kept) % {"count": kept})
    for outcome in outcomes:
        if outcome.problem:
            messages.error(request, f"{outcome.name}: {outcome.problem}")
        elif outcome.again:
            messages.warning(request, _("%(name)s is in the register already.") % {"name": outcome.name})
