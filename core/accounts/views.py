"""People, roles, organisations, API keys, and the choice of language."""

from django.conf import settings
from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.i18n import set_language

from core.accounts import granting, services
from core.accounts.doors import SignedInRequest, requires
from core.accounts.filters import OrganisationFilter, PersonFilter
from core.accounts.forms import (
    AppointmentForm,
    ChangeOrganisationForm,
    DecideRoleForm,
    NameForm,
    OrganisationForm,
    PersonForm,
    TokenForm,
    person_initial,
)
from core.accounts.models import ApiToken, Appointment, Organisation, Region, RoleRequest, User
from core.accounts.roles import DECIDING, HELD_IN, Can, Role
from core.audit.models import Event
from core.base.clock import day_of
from core.base.errors import DomainError
from core.base.paging import keyset_page
from core.base.refusals import add_refusal

GET_OR_POST = ["GET", "HEAD", "POST"]


@require_safe
@requires(Can.MANAGE_PEOPLE)
def people(request: SignedInRequest) -> HttpResponse:
    in_force = Appointment.objects.in_force(day_of(timezone.now())).select_related("organisation")
    known = User.objects.prefetch_related(Prefetch("appointments", queryset=in_force, to_attr="roles_now"))
    found = PersonFilter(request.GET, queryset=known, request=request)
    page = keyset_page(found.qs, request, order=("last_name", "first_name", "pk"))
    waiting = RoleRequest.objects.filter(state=RoleRequest.State.ASKED).count()
    return render(request, "accounts/people.html", {"filter": found, "page": page, "waiting": waiting})


@require_http_methods(GET_OR_POST)
@requires(Can.MANAGE_PEOPLE)
def add_person(request: SignedInRequest) -> HttpResponse:
    form = PersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_person(actor=request.user, at=timezone.now(), **form.cleaned_data)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Account opened. Give a role and a link to set the password."))
            return redirect("accounts:person", made.pk)
    return render(request, "accounts/add_person.html", {"form": form})


@require_http_methods(GET_OR_POST)
@requires(Can.MANAGE_PEOPLE)
def person(request: SignedInRequest, pk: int) -> HttpResponse:
    """One person: details, roles, keys, what was done to the account."""
    found = get_object_or_404(User, pk=pk)
    form = NameForm(request.POST or None, initial=person_initial(found))
    if request.method == "POST" and form.is_valid():
        try:
            services.change_person(actor=request.user, at=timezone.now(), person=found, **form.cleaned_data)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Saved."))
            return redirect("accounts:person", pk)
    return _show_person(request, found, form)


def _show_person(request: SignedInRequest, found: User, form: NameForm, password_link: str = "") -> HttpResponse:
    appointments = found.appointments.select_related("organisation", "appointed_by", "ended_by")
    today = day_of(timezone.now())
    context = {
        "person": found,
        "form": form,
        "appointments": [
            (one, one.is_in_force(today)) for one in appointments.prefetch_related("regions").order_by("-pk")
        ],
        "waiting": found.role_requests.filter(state=RoleRequest.State.ASKED).select_related("organisation", "asked_by"),
        "tokens": [token for token in found.api_tokens.all() if token.is_usable(timezone.now())],
        "password_link": password_link,
        "is_oneself": found.pk == request.user.pk,
        "events": Event.objects.about(("user", found.pk))[:50],
    }
    return render(request, "accounts/person.html", context)


@require_POST
@never_cache
@requires(Can.MANAGE_PEOPLE)
def make_password_link(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show, once, the link by which the person sets the password."""
    found = get_object_or_404(User, pk=pk)
    try:
        key = services.make_password_key(actor=request.user, at=timezone.now(), person=found)
    except DomainError as refusal:
        messages.error(request, str(refusal))
        return redirect("accounts:person", pk)
    uid, _dash, token = key.partition("-")
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": token})
    return _show_person(request, found, NameForm(initial=person_initial(found)), request.build_absolute_uri(path))


@require_POST
@requires(Can.MANAGE_PEOPLE)
def close_account(request: SignedInRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(User, pk=pk)
    try:
        services.deactivate_person(actor=request.user, at=timezone.now(), person=found)
    except DomainError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Account closed: roles ended, keys revoked."))
    return redirect("accounts:person", pk)


@require_POST
@requires(Can.MANAGE_PEOPLE)
def reopen_account(request: SignedInRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(User, pk=pk)
    try:
        services.reactivate_person(actor=request.user, at=timezone.now(), person=found)
    except DomainError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Account opened again, without any role."))
    return redirect("accounts:person", pk)


@require_http_methods(GET_OR_POST)
@requires(Can.MANAGE_PEOPLE)
def appoint(request: SignedInRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(User, pk=pk)
    form = AppointmentForm(request.POST or None, signer=request.user)
    if request.method == "POST" and form.is_valid():
        give = granting.ask_role if form.asks else services.appoint
        try:
            give(actor=request.user, at=timezone.now(), person=found, **form.given)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            said = _("Asked for. Another person confirms it.") if form.asks else _("Role given.")
            messages.success(request, said)
            return redirect("accounts:person", pk)
    deciding = [str(role.label) for role in Role if role in DECIDING]
    held_in = [
        (Role(role).label, ", ".join(str(Organisation.Kind(kind).label) for kind in sorted(kinds)))
        for role, kinds in HELD_IN.items()
    ]
    context = {"person": found, "form": form, "held_in": held_in, "deciding": deciding}
    return render(request, "accounts/appoint.html", context)


@require_safe
@requires(Can.CONFIRM_ROLES)
def role_requests(request: SignedInRequest) -> HttpResponse:
    """Roles that wait for a second person, and the last that were decided."""
    asked = RoleRequest.objects.select_related("user", "organisation", "asked_by", "decided_by")
    context = {
        "waiting": list(asked.filter(state=RoleRequest.State.ASKED)),
        "decided": list(asked.exclude(state=RoleRequest.State.ASKED)[:20]),
    }
    return render(request, "accounts/role_requests.html", context)


@require_http_methods(GET_OR_POST)
@requires(Can.CONFIRM_ROLES)
def role_request(request: SignedInRequest, pk: int) -> HttpResponse:
    """What another person asked: the same words, and the decision. Whoever asked may take it back."""
    waiting = RoleRequest.objects.filter(state=RoleRequest.State.ASKED)
    asked = get_object_or_404(waiting.select_related("user", "organisation", "asked_by"), pk=pk)
    form = DecideRoleForm(request.POST or None, signer=request.user)
    if request.method == "POST" and form.is_valid():
        decide = granting.confirm_role if form.cleaned_data["confirm"] else granting.refuse_role
        try:
            decide(actor=request.user, at=timezone.now(), asked=asked)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Role given.") if form.cleaned_data["confirm"] else _("The role is not given."))
            return redirect("accounts:role-requests")
    context = {
        "form": form,
        "asked": asked,
        "regions": Region.objects.filter(pk__in=asked.regions),
        "own": asked.asked_by_id == request.user.pk,
    }
    return render(request, "accounts/role_request.html", context, status=422 if form.errors else 200)


@require_POST
@requires(Can.MANAGE_PEOPLE)
def end_appointment(request: SignedInRequest, pk: int) -> HttpResponse:
    appointment = get_object_or_404(Appointment.objects.select_related("user"), pk=pk)
    try:
        services.end_appointment(actor=request.user, at=timezone.now(), appointment=appointment)
    except DomainError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Role ended."))
    return redirect("accounts:person", appointment.user_id)


@require_safe
@requires(Can.MANAGE_PEOPLE)
def organisations(request: SignedInRequest) -> HttpResponse:
    known = Organisation.objects.select_related("region")
    found = OrganisationFilter(request.GET, queryset=known, request=request)
    page = keyset_page(found.qs, request, order=("name_kk", "pk"))
    return render(request, "accounts/organisations.html", {"filter": found, "page": page})


@require_http_methods(GET_OR_POST)
@requires(Can.MANAGE_PEOPLE)
def add_organisation(request: SignedInRequest) -> HttpResponse:
    form = OrganisationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_organisation(actor=request.user, at=timezone.now(), **form.cleaned_data)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Organisation entered."))
            return redirect("accounts:organisation", made.pk)
    return render(request, "accounts/add_organisation.html", {"form": form})


@require_http_methods(GET_OR_POST)
@requires(Can.MANAGE_PEOPLE)
def organisation(request: SignedInRequest, pk: int) -> HttpResponse:
    """One organisation: what it is, who acts for it."""
    found = get_object_or_404(Organisation.objects.select_related("region"), pk=pk)
    initial = {name: getattr(found, name) for name in ("kind", "name_kk", "name_ru", "name_en", "region", "is_active")}
    form = ChangeOrganisationForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            services.change_organisation(actor=request.user, at=timezone.now(), organisation=found, **form.cleaned_data)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _("Saved."))
            return redirect("accounts:organisation", pk)
    in_force = found.appointments.in_force(day_of(timezone.now())).select_related("user").order_by("user__last_name")
    context = {
        "organisation": found,
        "form": form,
        "appointments": in_force,
        "events": Event.objects.about(("organisation", found.pk))[:50],
    }
    return render(request, "accounts/organisation.html", context)


@require_http_methods(GET_OR_POST)
@never_cache
@requires()
def tokens(request: SignedInRequest) -> HttpResponse:
    """A person's own keys for programs; a new one's secret is shown in this answer and never again."""
    form = TokenForm(request.POST or None)
    secret = ""
    if request.method == "POST" and form.is_valid():
        try:
            _token, secret = services.create_token(actor=request.user, at=timezone.now(), **form.cleaned_data)
        except DomainError as refusal:
            add_refusal(form, refusal)
        else:
            form = TokenForm()
    now = timezone.now()
    mine = [(token, token.is_usable(now)) for token in request.user.api_tokens.all()]
    return render(request, "accounts/tokens.html", {"form": form, "secret": secret, "tokens": mine})


@require_POST
@requires()
def revoke_token(request: SignedInRequest, pk: int) -> HttpResponse:
    """One's own key, or, for whoever manages people, anybody's."""
    manages = request.user.can(Can.MANAGE_PEOPLE)
    known = ApiToken.objects.all() if manages else request.user.api_tokens.all()
    token = get_object_or_404(known, pk=pk)
    try:
        services.revoke_token(actor=request.user, at=timezone.now(), token=token)
    except DomainError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Key revoked."))
    if token.user_id == request.user.pk:
        return redirect("accounts:tokens")
    return redirect("accounts:person", token.user_id)


def switch_language(request: HttpRequest) -> HttpResponse | HttpResponseRedirect:
    """Django's own switch; a person who is signed in is remembered to read in this language."""
    language = request.POST.get("language", "")
    if request.method == "POST" and isinstance(request.user, User) and language in dict(settings.LANGUAGES):
        services.choose_language(person=request.user, language=language)
    response: HttpResponse = set_language(request)
    return response
