"""What waits for whom, by when: the first page of each role, from a few counts and one chart."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Max, Min, Q, Sum
from django.db.models.functions import TruncWeek
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from core.accounts.filters import NO_ROLE, SOON
from core.accounts.models import Appointment, User
from core.accounts.roles import Can, Role
from core.audit.models import Event
from core.base.clock import ALMATY, day_of
from core.base.templatetags import fmt
from core.jobs.models import Job
from core.notices.models import Notice
from core.notices.selectors import notices_waiting
from core.rules.models import Rule
from ledger.models import AccountKind, AccountTotal, CustodyAccount, Handover, Hold
from ledger.selectors import Position, positions, stores_of
from permits.machine import State
from permits.models import Application, Permit
from permits.services import PLACES
from registry.days import animals_taken
from registry.models import Intake, Origin, Population, RemovalPermit, Season, Term, split_stock_class
from reports.charts import Bar, draw_bars, draw_columns
from reports.models import Statement

WEEKS = 12
ENDS_SOON = timedelta(days=14)
REGIONS_AT_MOST = 8
TONES: Mapping[str, str] = {
    AccountKind.STORE: "main",
    AccountKind.EVIDENCE: "attention",
    AccountKind.TRANSIT: "wait",
    AccountKind.LOSS: "stop",
}


@dataclass(frozen=True, slots=True)
class Stat:
    """A count that leads to the list of what it counts. `tone` says how pressing it is."""

    count: int
    label: str
    url: str
    tone: str = "neutral"
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing, the same figures as a table, and the page they come from."""

    title: str
    drawing: SafeString
    bars: Sequence[Bar]
    url: str = ""
    url_label: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """What one role finds on the first page."""

    role: Role
    organisations: str
    stats: Sequence[Stat]
    chart: Chart | None = None


@dataclass(slots=True)
class Desk:
    """The person, the day, and answers that several sections share, each asked of the database once."""

    user: User
    today: date
    _answers: dict[str, Any] = field(default_factory=dict)

    def ask(self, name: str, question: Callable[[], Any]) -> Any:
        if name not in self._answers:
            self._answers[name] = question()
        return self._answers[name]

    def positions(self) -> list[Position]:
        stores = CustodyAccount.objects.visible_to(self.user)
        found: list[Position] = self.ask("positions", lambda: positions(stores.values_list("pk", flat=True)))
        return found


def first_page(user: User, *, today: date) -> list[Section]:
    """One section for each role the person holds, in the order of roles; a trader who processes too gets one."""
    desk = Desk(user, today)
    sections = []
    built: set[Callable[[Desk, Role], Section]] = set()
    for role in Role:
        build = BUILDERS[role]
        if role in user.roles and build not in built:
            built.add(build)
            sections.append(build(desk, role))
    return sections


def _section(desk: Desk, role: Role, stats: Iterable[Stat], chart: Chart | None = None) -> Section:
    names = {
        appointment.organisation.name for appointment in desk.user.appointments_in_force if appointment.role == role
    }
    return Section(role, ", ".join(sorted(names)), list(stats), chart)


def _url(name: str, **wanted: object) -> str:
    return f"{reverse(name)}?{urlencode(wanted)}" if wanted else reverse(name)


def _until(day: date | None) -> str:
    """“the nearest day is …”, for the hint under a count."""
    return _("nearest day: %(day)s") % {"day": date_format(day, "SHORT_DATE_FORMAT")} if day else ""


# Counts


def _arrivals(desk: Desk) -> list[Stat]:
    """Goods on their way to and from the person's stores."""
    counts = desk.ask("handovers", lambda: _count_handovers(desk))
    late = counts["late"]
    hint = _until(day_of(counts["nearest"]) if counts["nearest"] else None)
    if late:
        hint = _("%(count)d later than expected") % {"count": late}
    tone = "attention" if late else "wait"
    return [
        Stat(
            counts["arriving"],
            _("Hand-overs to receive"),
            _url("permits:handovers", way="open", direction="in"),
            tone if counts["arriving"] else "neutral",
            hint,
        ),
        Stat(
            counts["leaving"],
            _("Hand-overs on the way from here"),
            _url("permits:handovers", way="open", direction="out"),
        ),
    ]


def _count_handovers(desk: Desk) -> dict[str, Any]:
    receives = list(stores_of(desk.user, Can.RECEIVE, kinds=PLACES).values_list("pk", flat=True))
    sends = list(stores_of(desk.user, Can.DISPATCH, kinds=PLACES).values_list("pk", flat=True))
    there, back = Q(state=Handover.State.DISPATCHED), Q(state=Handover.State.RETURNING)
    receiving = there & Q(target__in=receives) | back & Q(source__in=receives)
    sending = there & Q(source__in=sends) | back & Q(target__in=sends)
    under_way = Handover.objects.under_way().filter(receiving | sending)
    return under_way.order_by().aggregate(
        arriving=Count("pk", filter=receiving),
        leaving=Count("pk", filter=sending),
        late=Count("pk", filter=receiving & Q(due_at__lt=timezone.now())),
        nearest=Min("due_at", filter=receiving),
    )


def _notices(desk: Desk, label: str) -> Stat:
    waiting = desk.ask("notices", lambda: notices_waiting(desk.user, desk.today))
    hint = _until(waiting.next_due_on)
    if waiting.overdue:
        hint = _past_their_day(waiting.overdue)
    tone = "stop" if waiting.overdue else "attention" if waiting.open else "neutral"
    return Stat(waiting.open, label, _url("notices:inbox"), tone, hint)


def _own_permits(desk: Desk) -> Stat:
    """Permits that the person's organisations hold or receive under, in force today."""
    permits = Permit.objects.visible_to(desk.user).in_force(desk.today)
    found = permits.order_by().aggregate(count=Count("pk"), nearest=Min("valid_until"))
    is_soon = found["nearest"] is not None and found["nearest"] <= desk.today + ENDS_SOON
    hint = (
        _("the first ends on %(day)s") % {"day": date_format(found["nearest"], "SHORT_DATE_FORMAT")}
        if found["nearest"]
        else ""
    )
    url = _url("permits:permits", state=Permit.State.IN_FORCE)
    return Stat(found["count"], _("Permits in force"), url, "attention" if is_soon else "neutral", hint)


# Sections


def _inspector(desk: Desk, role: Role) -> Section:
    intakes = Intake.objects.visible_to(desk.user).open().order_by()
    found = intakes.aggregate(count=Count("pk"), oldest=Min("on"))
    older = found["oldest"] is not None and found["oldest"] < desk.today
    hint = _("the oldest is of %(day)s") % {"day": date_format(found["oldest"], "SHORT_DATE_FORMAT")} if older else ""
    stats = [
        Stat(
            found["count"],
            _("Receptions being weighed"),
            _url("registry:intakes", state=Intake.State.OPEN),
            "attention" if older else "wait" if found["count"] else "neutral",
            hint,
        ),
        *_arrivals(desk),
        _notices(desk, _("Discrepancies to decide")),
    ]
    return _section(desk, role, stats, _weekly_chart(desk))


def _storekeeper(desk: Desk, role: Role) -> Section:
    stores = [position.account_id for position in desk.positions()]
    held = Hold.objects.active().filter(item__holdings__account__in=stores, item__holdings__pieces__gt=0)
    stats = [
        *_arrivals(desk),
        _notices(desk, _("Discrepancies to decide")),
        Stat(
            held.order_by().values("item").distinct().count() if stores else 0,
            _("Items on hold"),
            _url("reports:items", held="yes"),
        ),
    ]
    return _section(desk, role, stats, _stock_chart(desk))


def _holder(desk: Desk, role: Role) -> Section:
    found = (
        Application.objects.filter(applicant__in=desk.user.organisation_ids(Can.APPLY))
        .order_by()
        .aggregate(
            drafts=Count("pk", filter=Q(state=State.DRAFT)),
            returned=Count("pk", filter=Q(state=State.RETURNED)),
            waiting=Count("pk", filter=Q(state__in=[State.SUBMITTED, State.IN_REVIEW])),
            due=Min("due_on", filter=Q(state__in=[State.SUBMITTED, State.IN_REVIEW])),
        )
    )
    returned = _("%(count)d returned for correction") % {"count": found["returned"]} if found["returned"] else ""
    stats = [
        *_arrivals(desk),
        Stat(
            found["returned"] or found["drafts"],
            _("Applications to finish"),
            _url("permits:applications", state=State.RETURNED if found["returned"] else State.DRAFT),
            "attention" if found["returned"] else "neutral",
            returned,
        ),
        Stat(
            found["waiting"],
            _("Applications with the authority"),
            _url("permits:applications", state="waiting"),
            "wait" if found["waiting"] else "neutral",
            _until(found["due"]),
        ),
        _own_permits(desk),
        _notices(desk, _("Discrepancies to decide")),
    ]
    return _section(desk, role, stats, _stock_chart(desk))


def _authority(desk: Desk, role: Role) -> Section:
    found = (
        Application.objects.visible_to(desk.user)
        .waiting()
        .order_by()
        .aggregate(
            count=Count("pk"),
            overdue=Count("pk", filter=Q(due_on__lt=desk.today)),
            mine=Count("pk", filter=Q(taken_by=desk.user, state=State.IN_REVIEW)),
            due=Min("due_on"),
        )
    )
    overdue = _past_their_day(found["overdue"]) if found["overdue"] else ""
    stats = [
        Stat(
            found["count"],
            _("Applications to decide"),
            _url("permits:applications", state="waiting"),
            "stop" if found["overdue"] else "attention" if found["count"] else "neutral",
            overdue or _until(found["due"]),
        ),
        Stat(
            found["mine"],
            _("Taken up by me"),
            _url("permits:applications", state=State.IN_REVIEW, mine="yes"),
            "wait" if found["mine"] else "neutral",
        ),
        _own_permits(desk),
        _notices(desk, _("Alerts and discrepancies")),
    ]
    if role == Role.AUTHORITY_HEAD:
        drafted = Rule.objects.drafts().count()
        stats.append(
            Stat(
                drafted,
                _("Rules waiting to be put in force"),
                _url("rules:rules"),
                "attention" if drafted else "neutral",
            )
        )
    return _section(desk, role, stats, _region_chart(desk))


def _auditor(desk: Desk, role: Role) -> Section:
    notices = (
        Notice.objects.open()
        .order_by()
        .aggregate(count=Count("pk"), overdue=Count("pk", filter=Q(due_on__lt=desk.today)))
    )
    late = Handover.objects.late(timezone.now()).count()
    making = Statement.objects.filter(asked_by=desk.user, job__in=Job.objects.unfinished()).count()
    acts = Event.objects.filter(at__gte=datetime.combine(desk.today, time.min, ALMATY)).count()
    overdue = _past_their_day(notices["overdue"]) if notices["overdue"] else ""
    stats = [
        Stat(
            notices["count"],
            _("Open alerts and discrepancies"),
            _url("notices:inbox"),
            "stop" if notices["overdue"] else "attention" if notices["count"] else "neutral",
            overdue,
        ),
        Stat(
            late,
            _("Hand-overs later than expected"),
            _url("permits:handovers", late="yes"),
            "attention" if late else "neutral",
        ),
        Stat(
            making,
            _("Statements being made for me"),
            _url("reports:statements"),
            "wait" if making else "neutral",
        ),
        Stat(acts, _("Acts in the journal today"), _url("reports:journal", since=desk.today.isoformat())),
    ]
    return _section(desk, role, stats, _place_chart())


def _administrator(desk: Desk, role: Role) -> Section:
    in_force = Appointment.objects.in_force(desk.today)
    ending = in_force.filter(valid_until__lte=desk.today + timedelta(days=30)).aggregate(
        count=Count("pk"), nearest=Min("valid_until")
    )
    active = User.objects.filter(is_active=True)
    without = active.exclude(pk__in=in_force.values("user")).count()
    roles = dict(in_force.order_by().values_list("role").annotate(people=Count("user", distinct=True)))
    bars = [
        Bar(
            str(member.label),
            roles[member.value],
            fmt.count(roles[member.value]),
            link=_url("accounts:people", role=member.value),
        )
        for member in Role
        if roles.get(member.value)
    ]
    stats = [
        Stat(
            without,
            _("People without a role"),
            _url("accounts:people", role=NO_ROLE),
            "attention" if without else "neutral",
        ),
        Stat(
            ending["count"],
            _("Appointments ending within 30 days"),
            _url("accounts:people", ending=SOON),
            "attention" if ending["count"] else "neutral",
            _until(ending["nearest"]),
        ),
    ]
    chart = _chart("people", _("People by role"), bars, _url("accounts:people"), _("People and roles"))
    return _section(desk, role, stats, chart)


def _scientific(desk: Desk, role: Role) -> Section:
    waiting = Application.objects.visible_to(desk.user).waiting().count()
    stats = [Stat(waiting, _("Applications being decided"), _url("permits:applications", state="waiting"))]
    return _section(desk, role, stats, _population_chart())


def _customs(desk: Desk, role: Role) -> Section:
    permits = Permit.objects.visible_to(desk.user).in_force(desk.today).order_by()
    ending = permits.filter(valid_until__lte=desk.today + ENDS_SOON).count()
    stats = [
        _own_permits(desk),
        Stat(
            ending,
            _("Permits ending within 14 days"),
            _url("permits:permits", state=Permit.State.IN_FORCE),
            "attention" if ending else "neutral",
        ),
    ]
    return _section(desk, role, stats)


def _veterinary(desk: Desk, role: Role) -> Section:
    pieces = sum(position.pieces for position in desk.positions())
    stats = [Stat(pieces, _("Items in the stores you may see"), _url("reports:stock"))]
    return _section(desk, role, stats, _stock_chart(desk))


BUILDERS: dict[Role, Callable[[Desk, Role], Section]] = {
    Role.INSPECTOR: _inspector,
    Role.STOREKEEPER: _storekeeper,
    Role.TRADER: _holder,
    Role.PROCESSOR: _holder,
    Role.VETERINARY_OFFICER: _veterinary,
    Role.AUTHORITY_OFFICER: _authority,
    Role.AUTHORITY_HEAD: _authority,
    Role.SCIENTIFIC_REVIEWER: _scientific,
    Role.CUSTOMS_OFFICER: _customs,
    Role.AUDITOR: _auditor,
    Role.ADMINISTRATOR: _administrator,
}


# Charts


def _chart(name: str, title: str, bars: Sequence[Bar], url: str = "", url_label: str = "") -> Chart | None:
    if not bars:
        return None
    description = "; ".join(f"{bar.label}: {bar.shown}" for bar in bars)
    drawing = draw_bars(bars, name=name, title=title, description=description)
    return Chart(title, mark_safe(drawing), bars, url, url_label)  # noqa: S308  escaped by the drawing


def _stock_chart(desk: Desk) -> Chart | None:
    """The person's stock by term and origin class, by mass."""
    sums: dict[str, int] = {}
    for position in desk.positions():
        sums[position.stock_class] = sums.get(position.stock_class, 0) + position.grams
    bars = []
    for stock_class, grams in sorted(sums.items(), key=lambda pair: -pair[1]):
        term, origin = split_stock_class(stock_class)
        bars.append(
            Bar(
                _("%(term)s, %(origin)s") % {"term": Term(term).label, "origin": Origin(origin).label},
                grams,
                fmt.kg(grams),
                tone="attention" if origin in (Origin.SEIZURE, Origin.UNKNOWN) else "main",
                link=_url("reports:items", term=term.value, origin=origin.value),
            )
        )
    return _chart("stock", _("Stock now, by mass"), bars, _url("reports:stock"), _("Stock"))


def _region_chart(desk: Desk) -> Chart | None:
    """The stock of the country by region, by mass; the smallest regions together."""
    accounts = {
        account.pk: account for account in CustodyAccount.objects.visible_to(desk.user).select_related("region")
    }
    sums: dict[str, tuple[str, int]] = {}
    for position in desk.positions():
        account = accounts.get(position.account_id)
        region = account.region if account else None
        key, name = (region.code, region.name) if region else ("", _("On the way or without a region"))
        sums[key] = (name, sums.get(key, (name, 0))[1] + position.grams)
    ordered = sorted(sums.items(), key=lambda pair: -pair[1][1])
    bars = [
        Bar(name, grams, fmt.kg(grams), link=_url("reports:stock", region=key) if key else "")
        for key, (name, grams) in ordered[:REGIONS_AT_MOST]
    ]
    rest = sum(grams for _key, (_name, grams) in ordered[REGIONS_AT_MOST:])
    if rest:
        bars.append(Bar(_("Other regions"), rest, fmt.kg(rest), tone="neutral"))
    title = _("Stock of the country by region, by mass")
    return _chart("regions", title, bars, _url("reports:stock"), _("Stock of the country"))


def _place_chart() -> Chart | None:
    """Where everything registered is now, whether still held or gone."""
    totals = (
        AccountTotal.objects.filter(pieces__gt=0)
        .values_list("account__kind")
        .annotate(all_pieces=Sum("pieces"))
        .order_by("-all_pieces")
    )
    bars = [
        Bar(
            str(AccountKind(kind).label),
            pieces,
            fmt.pieces(pieces),
            tone=TONES.get(kind, "neutral"),
            link=_url("reports:items", place=kind),
        )
        for kind, pieces in totals
    ]
    return _chart("places", _("Where everything registered is now"), bars, _url("reports:stock"), _("Stock"))


def _weekly_chart(desk: Desk) -> Chart:
    """Horns registered, week by week: the twelve weeks up to the last in which any were."""
    registered = Intake.objects.visible_to(desk.user).filter(state=Intake.State.REGISTERED).order_by()
    last = registered.aggregate(last=Max("on"))["last"] or desk.today
    first = last - timedelta(days=last.weekday(), weeks=WEEKS - 1)
    counted = dict(registered.filter(on__gte=first).values_list(TruncWeek("on")).annotate(all_pieces=Sum("pieces")))
    weeks = [first + timedelta(weeks=number) for number in range(WEEKS)]
    bars = [
        Bar(f"{week:%d.%m}", counted.get(week, 0), fmt.count(counted.get(week, 0)), link=_week_url(week))
        for week in weeks
    ]
    title = _("Horns registered, by week since %(day)s") % {"day": date_format(first, "SHORT_DATE_FORMAT")}
    description = "; ".join(f"{bar.label}: {bar.shown}" for bar in bars if bar.value)
    drawing = draw_columns(bars, name="weeks", title=title, description=description)
    marked = mark_safe(drawing)  # noqa: S308  escaped by the drawing
    return Chart(title, marked, bars, _url("reports:items"), pgettext("list", "All items"))


def _week_url(week: date) -> str:
    return _url("reports:items", since=week.isoformat(), until=(week + timedelta(days=6)).isoformat())


def _population_chart() -> Chart | None:
    """Animals taken in the present season, by population."""
    season = Season.objects.order_by("-starts_on").first()
    if season is None:
        return None
    taken: dict[str, int] = animals_taken(RemovalPermit.objects.filter(season=season), by="population")
    bars = [
        Bar(str(population.label), taken[population.value], fmt.count(taken[population.value]))
        for population in Population
        if taken.get(population.value)
    ]
    return _chart("populations", _("Animals taken, %(season)s") % {"season": season.name}, bars)


def _past_their_day(count: int) -> str:
    return ngettext("%(count)d past its day", "%(count)d past their day", count) % {"count": count}
