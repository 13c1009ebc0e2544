"""Printers and label sizes of an organisation: lists, forms, calibration, pictures."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from core.accounts.doors import SignedInRequest, requires
from core.accounts.models import User
from core.accounts.roles import Can
from core.base.errors import BadInput, DomainError
from marking.forms_printing import MeasuredForm, PrinterForm, StockForm
from marking.labels import PROFILES, LabelError, Profile
from marking.labels.calibration import due_on
from marking.models import OwnStock, Printer
from marking.services.printers import add_printer, calibrate_printer, change_printer, end_printer
from marking.services.samples import draw_calibration_of, draw_stock
from marking.services.stocks import add_stock, check_stock, end_stock, profile_of, stocks_of
from marking.views.labels import Sheet, picture_of, put_on_form
from marking.words import STOCK


@requires(Can.PRINT_LABELS, Can.SEE_EVERYTHING)
@require_safe
def printers(request: SignedInRequest) -> HttpResponse:
    """Printers in use, with how they were calibrated."""
    found = Printer.objects.in_use().visible_to(request.user).select_related("organisation")
    return render(request, "marking/printers.html", {"printers": found, "may_print": _prints(request.user)})


@requires(Can.PRINT_LABELS)
def printer_add(request: SignedInRequest) -> HttpResponse:
    """Enter a printer."""
    form = PrinterForm(request.POST or None, user=request.user)
    if form.is_valid():
        try:
            printer = add_printer(
                actor=request.user,
                at=timezone.now(),
                organisation=form.cleaned_data["organisation"],
                shape=form.shape(),
            )
        except DomainError as refusal:
            put_on_form(form, refusal)
        else:
            messages.success(request, _("The printer is entered. Now print its calibration page."))
            return redirect("marking:printer", printer.pk)
    status = 422 if form.errors else 200
    return render(request, "marking/printer_form.html", {"form": form}, status=status)


@requires(Can.PRINT_LABELS, Can.SEE_EVERYTHING)
@require_safe
def printer(request: SignedInRequest, pk: int) -> HttpResponse:
    """One printer: its offsets, its calibration page, and the form for what was measured on it."""
    return _show_printer(request, _printer_or_404(request.user, pk))


def _show_printer(request: SignedInRequest, found: Printer, form: MeasuredForm | None = None) -> HttpResponse:
    chosen, stock = _chosen_stock(request.user, request.GET.get("stock") or request.POST.get("stock") or "a4-21")
    due = due_on(stock)
    status = 422 if form is not None and form.errors else 200
    context = {
        "printer": found,
        "stocks": stocks_of(request.user).items(),
        "chosen": chosen,
        "is_roll": stock.is_roll,
        "form": form or MeasuredForm(due=due),
        "may_print": _prints(request.user) and found.ended_at is None,
    }
    return render(request, "marking/printer.html", context, status=status)


@requires(Can.PRINT_LABELS)
def printer_change(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change name, language or resolution of a printer."""
    found = _printer_or_404(request.user, pk)
    form = PrinterForm(request.POST or None, user=request.user, printer=found)
    if form.is_valid():
        try:
            change_printer(actor=request.user, at=timezone.now(), printer=found, shape=form.shape())
        except DomainError as refusal:
            put_on_form(form, refusal)
        else:
            return redirect("marking:printer", pk)
    status = 422 if form.errors else 200
    return render(request, "marking/printer_form.html", {"form": form, "printer": found}, status=status)


@requires(Can.PRINT_LABELS)
@require_POST
def printer_calibrate(request: SignedInRequest, pk: int) -> HttpResponse:
    """Keep what was measured on the calibration page."""
    found = _printer_or_404(request.user, pk)
    _key, stock = _chosen_stock(request.user, request.POST.get("stock", ""))
    form = MeasuredForm(request.POST, due=due_on(stock))
    if form.is_valid():
        try:
            found = calibrate_printer(actor=request.user, at=timezone.now(), printer=found, measured=form.measured())
        except DomainError as refusal:
            put_on_form(form, refusal)
        else:
            if found.keeps_size:
                messages.success(request, _("The printer is calibrated."))
            else:
                messages.warning(request, _("Kept, but this printer changes the size of what it prints."))
            return redirect("marking:printer", pk)
    return _show_printer(request, found, form)


@requires(Can.PRINT_LABELS)
@require_POST
def printer_end(request: SignedInRequest, pk: int) -> HttpResponse:
    """Offer the printer no longer."""
    found = _printer_or_404(request.user, pk)
    try:
        end_printer(actor=request.user, at=timezone.now(), printer=found)
    except DomainError as refusal:
        messages.error(request, str(refusal.message))
    else:
        messages.success(request, _("The printer is no longer offered."))
    return redirect("marking:printers")


@requires(Can.PRINT_LABELS, Can.SEE_EVERYTHING)
@require_safe
def calibration(request: SignedInRequest, pk: int) -> HttpResponse:
    """The calibration page: `?stock=a4-21`, `&form=zpl` for a label printer."""
    found = _printer_or_404(request.user, pk)
    _key, stock = _chosen_stock(request.user, request.GET.get("stock", "a4-21"))
    form = request.GET.get("form", found.language)
    if form == Printer.Language.ZPL and not stock.is_roll:
        raise Http404
    language = translation.get_language() or "kk"
    content = draw_calibration_of(found, stock, language, form=form)
    answer = HttpResponse(content, content_type="application/pdf" if form != "zpl" else "application/zpl")
    place = "attachment" if form == "zpl" else "inline"
    answer["Content-Disposition"] = f'{place}; filename="calibration-{found.pk}.{"zpl" if form == "zpl" else "pdf"}"'
    return answer


@requires(Can.PRINT_LABELS, Can.SEE_EVERYTHING)
@require_safe
def sizes(request: SignedInRequest) -> HttpResponse:
    """Every size of label that can be printed on: ours, and those of the own organisations."""
    context = {
        "known": [(name, PROFILES[key]) for key, name in STOCK.items()],
        "own": OwnStock.objects.in_use().visible_to(request.user).select_related("organisation", "added_by"),
        "may_print": _prints(request.user),
    }
    return render(request, "marking/sizes.html", context)


@requires(Can.PRINT_LABELS)
def size_edit(request: SignedInRequest, pk: int | None = None) -> HttpResponse:
    """Describe a label, with its picture; a change of one makes a new one in its place."""
    former = None if pk is None else _stock_or_404(request.user, pk)
    form = StockForm(request.POST or None, user=request.user, former=former)
    sheet = _sheet_of(form, former)
    if form.is_bound and "look" not in request.POST and form.is_valid():
        organisation = former.organisation if former else form.cleaned_data["organisation"]
        try:
            add_stock(
                actor=request.user, at=timezone.now(), organisation=organisation, shape=form.shape(), former=former
            )
        except DomainError as refusal:
            put_on_form(form, refusal)
        else:
            messages.success(request, _("The label can be printed on now."))
            return redirect("marking:sizes")
    status = 422 if form.errors else 200
    return render(request, "marking/size_form.html", {"form": form, "former": former, "sheet": sheet}, status=status)


@requires(Can.PRINT_LABELS)
@require_POST
def size_preview(request: SignedInRequest) -> HttpResponse:
    """The picture of the label described in the form, or what is wrong with it."""
    form = StockForm(request.POST, user=request.user)
    return render(request, "marking/_sheet.html", {"sheet": _sheet_of(form, None)})


@requires(Can.PRINT_LABELS)
@require_POST
def size_end(request: SignedInRequest, pk: int) -> HttpResponse:
    """Offer this label no longer."""
    try:
        end_stock(actor=request.user, at=timezone.now(), stock=_stock_or_404(request.user, pk))
    except DomainError as refusal:
        messages.error(request, str(refusal.message))
    else:
        messages.success(request, _("The label is no longer offered."))
    return redirect("marking:sizes")


def _sheet_of(form: StockForm, former: OwnStock | None) -> Sheet:
    """The picture for what stands in the form; its name and owner do not matter."""
    if not form.is_bound:
        if former is None:
            return Sheet(refusal=_("Enter the sizes to see the label."))
        stock = former
    else:
        form.is_valid()
        wrong = [
            f"{form.fields[name].label}: {error}"
            for name, errors in form.errors.items()
            if name in form.fields and name not in ("organisation", "name")
            for error in errors
        ]
        if wrong:
            return Sheet(refusal=" ".join(wrong))
        form.cleaned_data.setdefault("name", "")
        stock = form.shape().as_stock()
        stock.name = stock.name or "—"
    try:
        check_stock(stock)
        pdf = draw_stock(stock, translation.get_language() or "kk")
    except DomainError as refusal:
        return Sheet(refusal=" ".join(map(str, refusal.fields.values())) or str(refusal.message))
    except LabelError:
        return Sheet(refusal=_("The symbol of a signed label does not fit this label at this resolution."))
    return Sheet(picture=picture_of(pdf, stock.profile))


def _prints(person: User) -> bool:
    return person.can(Can.PRINT_LABELS)


def _printer_or_404(reader: User, pk: int) -> Printer:
    return get_object_or_404(Printer.objects.visible_to(reader).select_related("organisation", "calibrated_by"), pk=pk)


def _stock_or_404(reader: User, pk: int) -> OwnStock:
    return get_object_or_404(OwnStock.objects.in_use().visible_to(reader).select_related("organisation"), pk=pk)


def _chosen_stock(person: User, key: str) -> tuple[str, Profile]:
    """The stock of this key that the person may print on; the A4 sheet of 21 for any other."""
    try:
        return key, profile_of(person, key)
    except BadInput:
        return "a4-21", PROFILES["a4-21"]
