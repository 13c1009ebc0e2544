"""Seizure cases, for programs: the same acts as on their pages."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import path, re_path
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.pagination import CursorPagination
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.accounts.doors import granted, person_of
from core.accounts.idempotency import idempotent
from core.accounts.models import Organisation, Region
from core.accounts.roles import Can
from core.accounts.signature import SignedSerializer, second_signer, sign_by_password
from core.audit.models import Event
from core.audit.templatetags.journal import deed, facts_in_words
from core.base.api import KeysetPagination
from core.base.errors import BadInput
from core.documents.services import serve
from registry import services
from registry.models import (
    Case,
    CasePerson,
    CaseWord,
    Country,
    CourtDecision,
    DecidedItem,
    Derivative,
    Expertise,
    Intake,
    Outcome,
    ReturnAct,
    Term,
)
from registry.selectors_cases import compare_counts, counts_are_settled, damage_of, goods_to_return, standing_goods
from registry.services import CaseFacts, DecisionFacts, Receiver
from registry.services.cases import MOST_GRAMS, MOST_PIECES

WITH_FILES = [JSONParser, MultiPartParser, FormParser]


class OpenCaseSerializer(serializers.Serializer[Any]):
    """What is known on the spot. The agency is named by its BIN, the region by the first two digits of KATO."""

    protocol_number = serializers.CharField(max_length=60)
    protocol_on = serializers.DateField()
    erdr_number = serializers.CharField(max_length=30, allow_blank=True, default="")
    agency = serializers.SlugRelatedField[Organisation](slug_field="bin", queryset=Organisation.objects.active())
    region = serializers.PrimaryKeyRelatedField(queryset=Region.objects.all())
    place = serializers.CharField(max_length=200)
    latitude = serializers.DecimalField(max_digits=9, decimal_places=6, allow_null=True, default=None)
    longitude = serializers.DecimalField(max_digits=9, decimal_places=6, allow_null=True, default=None)
    seized_on = serializers.DateField()
    horns = serializers.IntegerField(min_value=1, max_value=MOST_PIECES, allow_null=True, default=None)
    confirm_place = serializers.BooleanField(default=False, help_text="Coordinates outside the region are right.")


def _word(name: str) -> serializers.SlugRelatedField[CaseWord]:
    words = CaseWord.objects.filter(list=name, is_active=True)
    return serializers.SlugRelatedField(slug_field="code", queryset=words, required=False, allow_null=True)


def _told_word() -> serializers.SlugRelatedField[CaseWord]:
    return serializers.SlugRelatedField(slug_field="code", read_only=True, allow_null=True)


class FactsSerializer(serializers.Serializer[Any]):
    """Facts to write; what is not given stays. Words are codes of their lists, countries ISO 3166-1 alpha-2.

    They are read from a case as they are written here; `cases/lists/` tells every code.
    """

    version = serializers.IntegerField(min_value=0)
    erdr_number = serializers.CharField(max_length=30, required=False, allow_blank=True)
    place = serializers.CharField(max_length=200, required=False)
    latitude = serializers.DecimalField(max_digits=9, decimal_places=6, allow_null=True, required=False)
    longitude = serializers.DecimalField(max_digits=9, decimal_places=6, allow_null=True, required=False)
    offence_on = serializers.DateField(allow_null=True, required=False)
    reason = _word("reason")
    detection = _word("detection")
    transport = _word("transport")
    concealment = _word("concealment")
    origin_country = serializers.PrimaryKeyRelatedField(queryset=Country.objects.all(), required=False, allow_null=True)
    destination_country = serializers.PrimaryKeyRelatedField(
        queryset=Country.objects.all(), required=False, allow_null=True
    )
    transit_countries = serializers.PrimaryKeyRelatedField(queryset=Country.objects.all(), required=False, many=True)
    nationalities = serializers.PrimaryKeyRelatedField(queryset=Country.objects.all(), required=False, many=True)
    articles = serializers.CharField(max_length=300, allow_blank=True, required=False)
    confirm_place = serializers.BooleanField(required=False, help_text="Coordinates outside the region are right.")
    estimated_value = serializers.IntegerField(min_value=0, max_value=10**15, allow_null=True, required=False)
    sanction = serializers.CharField(max_length=500, allow_blank=True, required=False)
    additional = serializers.CharField(max_length=4000, allow_blank=True, required=False)
    males = serializers.IntegerField(min_value=0, max_value=MOST_PIECES, required=False)
    females = serializers.IntegerField(min_value=0, max_value=MOST_PIECES, required=False)
    young = serializers.IntegerField(min_value=0, max_value=MOST_PIECES, required=False)


class CountSerializer(serializers.Serializer[Any]):
    """What the protocol counted of one kind; 0 pieces take it out. A count lower than before needs a reason."""

    term = serializers.ChoiceField(choices=Term.choices)
    pieces = serializers.IntegerField(min_value=0, max_value=MOST_PIECES)
    grams = serializers.IntegerField(min_value=0, max_value=MOST_GRAMS, allow_null=True, default=None)
    reason = serializers.CharField(
        max_length=1000,
        allow_blank=True,
        default="",
        write_only=True,
        help_text="Why it is lower than before; the authority judges it.",
    )


class CasePersonSerializer(serializers.ModelSerializer[CasePerson]):
    class Meta:
        model = CasePerson
        fields = ("id", "full_name", "iin", "part", "nationality", "note", "added_at")
        read_only_fields = ("id", "added_at")


class DecisionWrittenSerializer(serializers.Serializer[Any]):
    """What a court decided: registration numbers by outcome."""

    court = serializers.CharField(max_length=200)
    number = serializers.CharField(max_length=60)
    decided_on = serializers.DateField()
    in_force_on = serializers.DateField()
    returned_to = serializers.CharField(
        max_length=200,
        allow_blank=True,
        default="",
        help_text="Full name of the one to whom goods are returned, where the decision names one; never shown again.",
    )
    note = serializers.CharField(allow_blank=True, default="")
    confiscated = serializers.ListField(child=serializers.CharField(), default=list)
    returned = serializers.ListField(child=serializers.CharField(), default=list)
    destroy = serializers.ListField(child=serializers.CharField(), default=list)
    scan = serializers.FileField(required=False, help_text="PDF or photo; needed where goods are returned.")


class DecidedItemSerializer(serializers.ModelSerializer[DecidedItem]):
    """One item: what was decided of it, and the act by which it was given back."""

    item = serializers.CharField(source="item.derivative.number")
    return_act = serializers.CharField(source="return_act.number", default=None, allow_null=True)

    class Meta:
        model = DecidedItem
        fields = ("item", "outcome", "return_act")


class CourtDecisionSerializer(serializers.ModelSerializer[CourtDecision]):
    items = DecidedItemSerializer(many=True, read_only=True)

    class Meta:
        model = CourtDecision
        fields = (
            "id",
            "court",
            "number",
            "decided_on",
            "in_force_on",
            "note",
            "document",
            "state",
            "close_reason",
            "recorded_at",
            "closed_at",
            "items",
        )


class AskExpertiseSerializer(serializers.Serializer[Any]):
    institution = serializers.CharField(max_length=200)
    requested_on = serializers.DateField()
    question = serializers.CharField(max_length=2000, allow_blank=True, default="")


class ConclusionSerializer(serializers.Serializer[Any]):
    """What the expert found; with its scan the body is multipart."""

    number = serializers.CharField(max_length=60)
    done_on = serializers.DateField()
    expert = serializers.CharField(max_length=150, allow_blank=True, default="")
    finding = serializers.CharField(max_length=4000)
    scan = serializers.FileField(required=False)


class ExpertiseSerializer(serializers.ModelSerializer[Expertise]):
    class Meta:
        model = Expertise
        fields = (
            "id",
            "institution",
            "requested_on",
            "question",
            "requested_at",
            "number",
            "done_on",
            "expert",
            "finding",
            "document",
            "received_at",
        )


class GiveBackSerializer(SignedSerializer):
    """Who receives the goods, and the scan of the receipt that was signed. Without `items`: all that are to go back.

    A `second` person, by sign-in name and password, signs beside the one who hands over.
    """

    second = serializers.CharField(max_length=150, help_text="Sign-in name of the second person.")
    second_password = serializers.CharField(max_length=128, trim_whitespace=False, write_only=True)

    items = serializers.ListField(child=serializers.CharField(max_length=16), default=list)
    receiver_name = serializers.CharField(max_length=200)
    receiver_document = serializers.CharField(max_length=120)
    receiver_iin = serializers.CharField(max_length=12, allow_blank=True, default="")
    for_whom = serializers.CharField(
        max_length=20,
        allow_blank=True,
        default="",
        help_text="`id` of an owner or claimant among the persons of the case, or `decision` for whom the decision "
        "names; empty where the receiver is the owner.",
    )
    on_behalf = serializers.CharField(
        max_length=200, allow_blank=True, default="", help_text="Number, date and notary of the power of attorney."
    )
    receipt = serializers.FileField()


class ReturnActSerializer(serializers.ModelSerializer[ReturnAct]):
    """An act of return; who received the goods is said on its paper only."""

    items = serializers.SerializerMethodField()

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_items(self, act: ReturnAct) -> list[str]:
        """Registration numbers."""
        return list(act.items.order_by("item").values_list("item__derivative__number", flat=True))

    class Meta:
        model = ReturnAct
        fields = ("id", "number", "decision", "handed_by", "second", "handed_at", "items")


class StoodGoodsSerializer(serializers.Serializer[Any]):
    """Goods of one kind in one place: how many, how heavy, what was decided of them."""

    term = serializers.CharField()
    outcome = serializers.CharField()
    place = serializers.CharField()
    kind = serializers.CharField(help_text="Kind of the place: evidence, destruction, returned, …")
    pieces = serializers.IntegerField()
    grams = serializers.IntegerField()


class CaseReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500)


class ChargeSerializer(serializers.Serializer[Any]):
    """One line of the damage: count × rate × MRP."""

    what = serializers.CharField(help_text="male, female, young, or horn: those that belong to no male counted.")
    count = serializers.IntegerField()
    rate = serializers.IntegerField(help_text="MRP for each.")
    units = serializers.IntegerField(help_text="In MRP.")
    tenge = serializers.IntegerField()


class DamageSerializer(serializers.Serializer[Any]):
    """The damage by the rules in force on the day of the offence, with its arithmetic."""

    on = serializers.DateField(help_text="Day of the offence; while it is not known, of the seizure.")
    mrp = serializers.IntegerField(help_text="1 MRP on that day, in tenge.")
    charges = ChargeSerializer(many=True)
    horns_of_males = serializers.IntegerField(help_text="Horns of the males counted, which are not charged twice.")
    tenge = serializers.IntegerField(help_text="In all.")


class FullCaseSerializer(serializers.ModelSerializer[Case]):
    """A case with all its facts; persons are asked for apart.

    The agency is told by its BIN, words by the codes of their lists: as they are written.
    """

    agency = serializers.SlugRelatedField[Organisation](slug_field="bin", read_only=True)
    reason = _told_word()
    detection = _told_word()
    transport = _told_word()
    concealment = _told_word()
    damage = serializers.SerializerMethodField()
    counts = CountSerializer(many=True, read_only=True)
    counts_settled = serializers.SerializerMethodField()
    expertises = ExpertiseSerializer(many=True, read_only=True)
    decisions = CourtDecisionSerializer(many=True, read_only=True)
    intakes = serializers.SerializerMethodField()
    goods = serializers.SerializerMethodField()

    @extend_schema_field(DamageSerializer(allow_null=True))
    def get_damage(self, case: Case) -> Any:
        """The damage as it is computed now; null where no MRP or rates are in force on the day of the offence."""
        damage = damage_of(case, compare_counts(case))
        return None if damage is None else DamageSerializer(damage).data

    @extend_schema_field(serializers.BooleanField())
    def get_counts_settled(self, case: Case) -> bool:
        """False while the protocol counts otherwise than was weighed and nobody has judged it."""
        return counts_are_settled(case)

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_intakes(self, case: Case) -> list[str]:
        """Numbers of the receptions."""
        return list(case.intakes.order_by("pk").values_list("number", flat=True))

    @extend_schema_field(StoodGoodsSerializer(many=True))
    def get_goods(self, case: Case) -> Any:
        """Where the goods are now, those that left the books too."""
        return StoodGoodsSerializer(standing_goods(case), many=True).data

    class Meta:
        model = Case
        fields = (
            "id",
            "number",
            "protocol_number",
            "protocol_on",
            "erdr_number",
            "agency",
            "region",
            "place",
            "latitude",
            "longitude",
            "seized_on",
            "offence_on",
            "reason",
            "detection",
            "transport",
            "concealment",
            "origin_country",
            "transit_countries",
            "destination_country",
            "nationalities",
            "articles",
            "estimated_value",
            "sanction",
            "additional",
            "males",
            "females",
            "young",
            "version",
            "counts",
            "counts_settled",
            "damage",
            "intakes",
            "goods",
            "expertises",
            "decisions",
        )


WORDS_OF_FACTS = ("reason", "detection", "transport", "concealment")


class CodeSerializer(serializers.Serializer[Any]):
    """A code, and what it is called in the language of the request."""

    code = serializers.CharField()
    name = serializers.CharField()


class CaseListsSerializer(serializers.Serializer[Any]):
    """The list behind each fact of a case; `countries` are those of ISO 3166-1, and what CITES adds."""

    reason = CodeSerializer(many=True)
    detection = CodeSerializer(many=True)
    transport = CodeSerializer(many=True)
    concealment = CodeSerializer(many=True)
    countries = CodeSerializer(many=True)


class StoryFactSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    value = serializers.CharField()


class StorySerializer(serializers.ModelSerializer[Event]):
    """One act in the story of a case: `verb` for programs, `deed` and `facts` in the words of its page."""

    deed = serializers.SerializerMethodField()
    facts = serializers.SerializerMethodField()

    def get_deed(self, event: Event) -> str:
        return deed(event)

    @extend_schema_field(StoryFactSerializer(many=True))
    def get_facts(self, event: Event) -> Any:
        return [{"name": str(fact.label), "value": fact.value} for fact in facts_in_words(event)]

    class Meta:
        model = Event
        fields = ("id", "verb", "deed", "at", "actor_name", "subject_kind", "subject_id", "subject_name", "facts")


WITH_ITEMS = Prefetch("items", DecidedItem.objects.select_related("item__derivative", "return_act"))


def _told(case: Case) -> Any:
    """A case as it is told: a constant number of queries, whatever the number of its goods."""
    found = Case.objects.select_related("agency", "reason", "detection", "transport", "concealment").prefetch_related(
        "counts", "expertises", Prefetch("decisions", CourtDecision.objects.prefetch_related(WITH_ITEMS))
    )
    return FullCaseSerializer(found.get(pk=case.pk)).data


def _told_decision(decision: CourtDecision) -> Any:
    return CourtDecisionSerializer(CourtDecision.objects.prefetch_related(WITH_ITEMS).get(pk=decision.pk)).data


def _visible(request: Request) -> QuerySet[Case]:
    return Case.objects.visible_to(person_of(request))


class OpenCase(APIView):
    permission_classes = [granted(Can.REGISTER_SEIZURE)]

    @extend_schema(operation_id="cases_open", request=OpenCaseSerializer, responses={201: FullCaseSerializer})
    @idempotent
    def post(self, request: Request) -> Response:
        """Enter a seizure by what is known on the spot."""
        given = OpenCaseSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        said = dict(given.validated_data)
        region = said.pop("region")
        case = services.open_case(actor=person_of(request), at=timezone.now(), facts=CaseFacts(**said), region=region)
        return Response(_told(case), status=201)


class OneCase(APIView):
    permission_classes = [granted(Can.SEE_INTAKES)]

    @extend_schema(operation_id="cases_retrieve", responses=FullCaseSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """One seizure case: its facts, counts, expertise, decisions, and where its goods are."""
        return Response(_told(get_object_or_404(_visible(request), pk=pk)))


class CaseStory(ListAPIView[Event]):
    """What happened in a case and in its receptions that you may know, newest first: as on its page."""

    permission_classes = [granted(Can.SEE_INTAKES)]
    serializer_class = StorySerializer
    pagination_class: type[CursorPagination] = KeysetPagination
    queryset = Event.objects.none()

    def get_queryset(self) -> QuerySet[Event]:
        case = get_object_or_404(_visible(self.request), pk=self.kwargs["pk"])
        known = Intake.objects.visible_to(person_of(self.request)).filter(case=case)
        intakes = [("intake", pk) for pk in known.values_list("pk", flat=True)]
        return Event.objects.about(("case", case.pk), *intakes)


class CaseLists(APIView):
    permission_classes = [granted(Can.SEE_INTAKES)]

    @extend_schema(operation_id="cases_lists", responses=CaseListsSerializer)
    def get(self, request: Request) -> Response:
        """The codes that the facts of a case are written with, each with its name in your language."""
        lists: dict[str, Any] = {name: [] for name in WORDS_OF_FACTS}
        for word in CaseWord.objects.filter(list__in=WORDS_OF_FACTS, is_active=True):
            lists[word.list].append(word)
        return Response(CaseListsSerializer(lists | {"countries": list(Country.objects.all())}).data)


class CaseFactsView(APIView):
    permission_classes = [granted(Can.REGISTER_SEIZURE)]

    @extend_schema(operation_id="cases_facts", request=FactsSerializer, responses=FullCaseSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Write what has become known of a case; `version` is the one that was read."""
        given = FactsSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        said = dict(given.validated_data)
        case = services.note_facts(
            actor=person_of(request),
            at=timezone.now(),
            case=get_object_or_404(_visible(request), pk=pk),
            version=said.pop("version"),
            erdr_number=said.pop("erdr_number", None),
            transit_countries=said.pop("transit_countries", None),
            nationalities=said.pop("nationalities", None),
            confirm_place=said.pop("confirm_place", False),
            facts=said,
        )
        return Response(_told(case))


class CaseCounts(APIView):
    permission_classes = [granted(Can.REGISTER_SEIZURE)]

    @extend_schema(operation_id="cases_counts", request=CountSerializer(many=True), responses=FullCaseSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Write what the protocol counted; a difference to what was weighed becomes a discrepancy.

        Lowering a count needs a reason, and raises an alert for the authority.
        """
        given = CountSerializer(data=request.data, many=True)
        given.is_valid(raise_exception=True)
        case = get_object_or_404(_visible(request), pk=pk)
        counts = {Term(line["term"]): (line["pieces"], line["grams"]) for line in given.validated_data}
        reasons = dict.fromkeys(line["reason"] for line in given.validated_data if line["reason"])
        services.count_goods(
            actor=person_of(request), at=timezone.now(), case=case, counts=counts, reason=" ".join(reasons)
        )
        return Response(_told(case))


class CasePersons(APIView):
    permission_classes = [granted(Can.SEE_PERSONS)]

    @extend_schema(operation_id="cases_persons", responses=CasePersonSerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        """The persons of a case: personal data. Every look is written into the journal."""
        case = get_object_or_404(_visible(request), pk=pk)
        persons = services.look_at_persons(actor=person_of(request), at=timezone.now(), case=case)
        return Response(CasePersonSerializer(persons, many=True).data, headers={"Cache-Control": "no-store"})

    @extend_schema(operation_id="cases_add_person", request=CasePersonSerializer, responses={201: CasePersonSerializer})
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Enter a person of the case."""
        given = CasePersonSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        case = get_object_or_404(_visible(request), pk=pk)
        person = services.add_person(actor=person_of(request), at=timezone.now(), case=case, **given.validated_data)
        return Response(CasePersonSerializer(person).data, status=201)


class AskExpertise(APIView):
    permission_classes = [granted(Can.REGISTER_SEIZURE)]

    @extend_schema(
        operation_id="cases_ask_expertise", request=AskExpertiseSerializer, responses={201: ExpertiseSerializer}
    )
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Note that an expert was asked."""
        given = AskExpertiseSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        case = get_object_or_404(_visible(request), pk=pk)
        asked = services.request_expertise(
            actor=person_of(request), at=timezone.now(), case=case, **given.validated_data
        )
        return Response(ExpertiseSerializer(asked).data, status=201)


class ReceiveExpertise(APIView):
    permission_classes = [granted(Can.REGISTER_SEIZURE)]
    parser_classes = WITH_FILES

    @extend_schema(operation_id="cases_conclusion", request=ConclusionSerializer, responses=ExpertiseSerializer)
    @idempotent
    def post(self, request: Request, pk: int, expertise: int) -> Response:
        """Write down the expert's conclusion; once."""
        given = ConclusionSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        said = dict(given.validated_data)
        asked = get_object_or_404(Expertise, pk=expertise, case__in=_visible(request).filter(pk=pk))
        done = services.receive_expertise(
            actor=person_of(request), at=timezone.now(), expertise=asked, **_scan_of(said, "scan"), **said
        )
        return Response(ExpertiseSerializer(done).data)


def _scan_of(said: dict[str, Any], name: str) -> dict[str, Any]:
    scan = said.pop(name, None)
    return {} if scan is None else {"content": scan.read(), "name": scan.name}


class Decide(APIView):
    permission_classes = [granted(Can.REGISTER_SEIZURE)]
    parser_classes = WITH_FILES

    @extend_schema(
        operation_id="cases_decide", request=DecisionWrittenSerializer, responses={201: CourtDecisionSerializer}
    )
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Record what a court decided; another person confirms it. With the scan the body is multipart."""
        given = DecisionWrittenSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        said = dict(given.validated_data)
        case = get_object_or_404(_visible(request), pk=pk)
        goods = dict(Derivative.objects.filter(intake__case=case).values_list("number", "pk"))
        outcomes = {outcome: _items(goods, said.pop(outcome.value), field=outcome.value) for outcome in Outcome}
        scan = _scan_of(said, "scan")
        decision = services.record_decision(
            actor=person_of(request),
            at=timezone.now(),
            case=case,
            facts=DecisionFacts(**said),
            outcomes=outcomes,
            **scan,
        )
        return Response(_told_decision(decision), status=201)


def _items(goods: dict[str, int], numbers: list[str], *, field: str) -> list[int]:
    """Items by registration number; raises BadInput at the field that names those not among the goods."""
    unknown = [number for number in numbers if number not in goods]
    if unknown:
        said = _("Not among the goods of this case: %(items)s") % {"items": ", ".join(unknown[:20])}
        raise BadInput(fields={field: said})
    return [goods[number] for number in numbers]


class Confirm(APIView):
    permission_classes = [granted(Can.CONFIRM_DECISION)]

    @extend_schema(operation_id="cases_confirm", request=SignedSerializer, responses=CourtDecisionSerializer)
    @idempotent
    def post(self, request: Request, pk: int, decision: int) -> Response:
        """Confirm a decision that another person recorded: it takes effect on the goods. Signed by the password."""
        waiting = get_object_or_404(CourtDecision, pk=decision, case__in=_visible(request).filter(pk=pk))
        given, person = SignedSerializer(data=request.data), person_of(request)
        given.is_valid(raise_exception=True)
        sign_by_password(person, given.validated_data["password"])
        done = services.confirm_decision(actor=person, at=timezone.now(), decision=waiting)
        return Response(_told_decision(done))


class Withdraw(APIView):
    permission_classes = [granted(Can.CONFIRM_DECISION, Can.REGISTER_SEIZURE)]

    @extend_schema(operation_id="cases_withdraw", request=CaseReasonSerializer, responses=CourtDecisionSerializer)
    @idempotent
    def post(self, request: Request, pk: int, decision: int) -> Response:
        """Take back a decision that was written down wrongly and is not confirmed."""
        given = CaseReasonSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        waiting = get_object_or_404(CourtDecision, pk=decision, case__in=_visible(request).filter(pk=pk))
        done = services.withdraw_decision(
            actor=person_of(request), at=timezone.now(), decision=waiting, **given.validated_data
        )
        return Response(_told_decision(done))


class GiveBack(APIView):
    permission_classes = [granted(Can.REGISTER_SEIZURE)]
    parser_classes = WITH_FILES

    @extend_schema(operation_id="cases_return", request=GiveBackSerializer, responses={201: ReturnActSerializer})
    @idempotent
    def post(self, request: Request, pk: int, decision: int) -> Response:
        """Give goods back to their owner; they leave the books with this act. Signed by two passwords.

        Who recorded the decision does not hand over, but may be the second person.
        """
        confirmed = get_object_or_404(CourtDecision, pk=decision, case__in=_visible(request).filter(pk=pk))
        given, person = GiveBackSerializer(data=request.data), person_of(request)
        given.is_valid(raise_exception=True)
        said = dict(given.validated_data)
        sign_by_password(person, said["password"])
        goods = dict(goods_to_return(confirmed).values_list("item__derivative__number", "item"))
        act = services.return_goods(
            actor=person,
            second=second_signer(said["second"], said["second_password"]),
            at=timezone.now(),
            decision=confirmed,
            item_ids=_items(goods, said["items"], field="items") or list(goods.values()),
            receiver=Receiver(
                name=said["receiver_name"],
                document=said["receiver_document"],
                iin=said["receiver_iin"],
                for_whom=said["for_whom"],
                on_behalf=said["on_behalf"],
            ),
            **_scan_of(said, "receipt"),
        )
        return Response(ReturnActSerializer(act).data, status=201)


class ReturnPaper(APIView):
    permission_classes = [granted(Can.SEE_PERSONS)]

    @extend_schema(operation_id="cases_return_paper", responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    def get(self, request: Request, pk: int, act: int, language: str) -> HttpResponseBase:
        """The act of return as a PDF, in kk or ru: personal data. Every look is written into the journal."""
        kept = get_object_or_404(ReturnAct, pk=act, decision__case__in=_visible(request).filter(pk=pk))
        return serve(services.look_at_return(actor=person_of(request), at=timezone.now(), act=kept, language=language))


urlpatterns = [
    path("cases/open/", OpenCase.as_view(), name="case-open"),
    path("cases/lists/", CaseLists.as_view(), name="case-lists"),
    path("cases/<int:pk>/", OneCase.as_view(), name="case"),
    path("cases/<int:pk>/story/", CaseStory.as_view(), name="case-story"),
    path("cases/<int:pk>/facts/", CaseFactsView.as_view(), name="case-facts"),
    path("cases/<int:pk>/counts/", CaseCounts.as_view(), name="case-counts"),
    path("cases/<int:pk>/persons/", CasePersons.as_view(), name="case-persons"),
    path("cases/<int:pk>/expertises/", AskExpertise.as_view(), name="case-ask-expertise"),
    path("cases/<int:pk>/expertises/<int:expertise>/", ReceiveExpertise.as_view(), name="case-conclusion"),
    path("cases/<int:pk>/decisions/", Decide.as_view(), name="case-decide"),
    path("cases/<int:pk>/decisions/<int:decision>/confirm/", Confirm.as_view(), name="case-confirm"),
    path("cases/<int:pk>/decisions/<int:decision>/withdraw/", Withdraw.as_view(), name="case-withdraw"),
    path("cases/<int:pk>/decisions/<int:decision>/return/", GiveBack.as_view(), name="case-return"),
    re_path(
        r"^cases/(?P<pk>\d+)/returns/(?P<act>\d+)/(?P<language>kk|ru)\.pdf$",
        ReturnPaper.as_view(),
        name="case-return-paper",
    ),
]
