"""Opening and correcting intakes of other origins and of other kinds than horns."""

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe
from django_stubs_ext import StrOrPromise

from core.accounts.doors import SignedInRequest, requires
from core.accounts.roles import Can
from core.base.clock import day_of
from core.base.errors import DomainError
from core.base.refusals import add_refusal
from core.documents.files import serve
from registry import services
from registry.forms_origins import FORMS
from registry.models import Intake, Origin
from registry.selectors import stores_for_intake, visible_papers
from registry.sheet import whole_number

GET_OR_POST = ["GET", "HEAD", "POST"]

WORDS: dict[str, tuple[str, StrOrPromise, StrOrPromise]] = {
    "products": (
        "packages",
        gettext_lazy("Meat, hides and other parts"),
        gettext_lazy("What a removal gives beside horns: by batch, package or piece, meat with its certificate."),
    ),
    "found": (
        "map-pin",
        gettext_lazy("Found horns"),
        gettext_lazy("Animals that died by themselves. The finder hands them in and has no title to them."),
    ),
    "confiscated": (
        "gavel",
        gettext_lazy("Confiscated goods"),
        gettext_lazy("A court gave them to the State, and they were not evidence in this registry before."),
    ),
    "old-stock": (
        "building-warehouse",
        gettext_lazy("Stock from before marking"),
        gettext_lazy("Legal stock of a store, by the sheet of its inventory and commission."),
    ),
    "imported": (
        "send",
        gettext_lazy("Imported goods"),
        gettext_lazy("Brought in under a CITES export permit of another country and a customs declaration."),
    ),
    "unknown": (
        "help-circle",
        gettext_lazy("Goods of unknown origin"),
        gettext_lazy("Nothing proves where they came from. They can be kept or destroyed, not sold."),
    ),
}
"""Icon, name and one sentence for each way in, in the order of the page."""


@require_safe
@requires(Can.OPEN_INTAKE)
def choose_origin(request: SignedInRequest) -> HttpResponse:
    """Every way in for goods that no brigade's day and no seizure brings."""
    ways = [(slug, *words) for slug, words in WORDS.items()]
    return render(request, "registry/choose_origin.html", {"ways": ways})


@requires(Can.OPEN_INTAKE)
@require_http_methods(GET_OR_POST)
def open_origin(request: SignedInRequest, slug: str) -> HttpResponse:
    shape = FORMS[slug]
    form = shape(request.POST or None, request.FILES or None, user=request.user, today=day_of(timezone.now()))
    if request.method == "POST" and form.is_valid():
        try:
            intake = services.open_intake(actor=request.user, at=timezone.now(), origin=shape.origin, **form.facts())
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            return redirect("registry:intake", intake.pk)
    _icon, title, said = WORDS[slug]
    context = {
        "form": form,
        "title": title,
        "said": said,
        "has_place": "latitude" in form.fields,
        "can_begin": stores_for_intake(request.user, shape.origin).exists(),
    }
    return render(request, "registry/open_origin.html", context, status=422 if form.errors else 200)


@requires(Can.OPEN_INTAKE)
@require_http_methods(GET_OR_POST)
def correct_origin(request: SignedInRequest, pk: int) -> HttpResponse:
    """Correct the papers of an intake while its table is open."""
    intake = get_object_or_404(Intake.objects.visible_to(request.user), pk=pk)
    slug = next((slug for slug, shape in FORMS.items() if shape.origin == intake.origin), "")
    if not slug or intake.males is not None or intake.origin == Origin.SEIZURE:
        raise Http404
    form = FORMS[slug](
        request.POST or None, request.FILES or None, user=request.user, today=day_of(timezone.now()), intake=intake
    )
    seen = whole_number(request.POST.get("version", ""))
    if request.method == "POST" and form.is_valid():
        try:
            services.correct_intake(actor=request.user, at=timezone.now(), intake=intake, version=seen, **form.facts())
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Saved."))
            return redirect("registry:intake", pk)
    context = {
        "form": form,
        "intake": intake,
        "version": intake.version if seen is None else seen,
        "has_place": "latitude" in form.fields,
    }
    return render(request, "registry/correct.html", context, status=422 if form.errors else 200)


@requires()
@require_safe
def paper(request: SignedInRequest, pk: str) -> HttpResponseBase:
    """The scan of a paper, for those who may know what it proves."""
    return serve(get_object_or_404(visible_papers(request.user), pk=pk))
