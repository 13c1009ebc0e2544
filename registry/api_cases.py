"""Seizure cases, for programs: the same acts as on their pages."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.accounts.doors import granted, person_of
from core.accounts.idempotency import idempotent
from core.accounts.models import Organisation, Region
from core.accounts.roles import Can
from core.accounts.signature import SignedSerializer, sign_by_password
from core.base.errors import BadInput
from registry import services
from registry.models import Case, CasePerson, CaseWord, Country, CourtDecision, Derivative, Outcome, Term
from registry.services import CaseFacts, DecisionFacts


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
    horns = serializers.IntegerField(min_value=1, allow_null=True, default=None)


def _word(name: str) -> serializers.SlugRelatedField[CaseWord]:
    words = CaseWord.objects.filter(list=name, is_active=True)
    return serializers.SlugRelatedField(slug_field="code", queryset=words, required=False, allow_null=True)


class FactsSerializer(serializers.Serializer[Any]):
    """Facts to write; what is not given stays. Words are codes of their lists, countries ISO 3166-1 alpha-2."""

    version = serializers.IntegerField(min_value=0)
    erdr_number = serializers.CharField(max_length=30, required=False)
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
    estimated_value = serializers.IntegerField(min_value=0, allow_null=True, required=False)
    sanction = serializers.CharField(max_length=500, allow_blank=True, required=False)
    additional = serializers.CharField(max_length=4000, allow_blank=True, required=False)
    males = serializers.IntegerField(min_value=0, required=False)
    females = serializers.IntegerField(min_value=0, required=False)
    young = serializers.IntegerField(min_value=0, required=False)


class CountSerializer(serializers.Serializer[Any]):
    """What the protocol counted of one kind; 0 pieces take it out."""

    term = serializers.ChoiceField(choices=Term.choices)
    pieces = serializers.IntegerField(min_value=0)
    grams = serializers.IntegerField(min_value=0, allow_null=True, default=None)


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
    note = serializers.CharField(allow_blank=True, default="")
    confiscated = serializers.ListField(child=serializers.CharField(), default=list)
    returned = serializers.ListField(child=serializers.CharField(), default=list)
    destroy = serializers.ListField(child=serializers.CharField(), default=list)


class CourtDecisionSerializer(serializers.ModelSerializer[CourtDecision]):
    class Meta:
        model = CourtDecision
        fields = ("id", "court", "number", "decided_on", "in_force_on", "note", "state", "recorded_at", "closed_at")


class CaseReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500)


class FullCaseSerializer(serializers.ModelSerializer[Case]):
    """A case with all its facts; persons are asked for apart."""

    counts = CountSerializer(many=True, read_only=True)
    decisions = CourtDecisionSerializer(many=True, read_only=True)

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
            "decisions",
        )


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
        return Response(FullCaseSerializer(case).data, status=201)


class OneCase(RetrieveAPIView[Case]):
    """One seizure case."""

    permission_classes = [granted(Can.SEE_INTAKES)]
    serializer_class = FullCaseSerializer
    queryset = Case.objects.none()

    def get_queryset(self) -> QuerySet[Case]:
        return _visible(self.request)


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
            facts=said,
        )
        return Response(FullCaseSerializer(case).data)


class CaseCounts(APIView):
    permission_classes = [granted(Can.REGISTER_SEIZURE)]

    @extend_schema(operation_id="cases_counts", request=CountSerializer(many=True), responses=FullCaseSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Write what the protocol counted; a difference to what was weighed becomes a discrepancy."""
        given = CountSerializer(data=request.data, many=True)
        given.is_valid(raise_exception=True)
        case = get_object_or_404(_visible(request), pk=pk)
        counts = {Term(line["term"]): (line["pieces"], line["grams"]) for line in given.validated_data}
        services.count_goods(actor=person_of(request), at=timezone.now(), case=case, counts=counts)
        return Response(FullCaseSerializer(case).data)


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


class Decide(APIView):
    permission_classes = [granted(Can.REGISTER_SEIZURE)]

    @extend_schema(
        operation_id="cases_decide", request=DecisionWrittenSerializer, responses={201: CourtDecisionSerializer}
    )
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Record what a court decided; another person confirms it."""
        given = DecisionWrittenSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        said = dict(given.validated_data)
        case = get_object_or_404(_visible(request), pk=pk)
        outcomes = {outcome: _items(case, said.pop(outcome.value)) for outcome in Outcome}
        decision = services.record_decision(
            actor=person_of(request), at=timezone.now(), case=case, facts=DecisionFacts(**said), outcomes=outcomes
        )
        return Response(CourtDecisionSerializer(decision).data, status=201)


def _items(case: Case, numbers: list[str]) -> list[int]:
    found = dict(Derivative.objects.filter(intake__case=case, number__in=numbers).values_list("number", "pk"))
    unknown = [number for number in numbers if number not in found]
    if unknown:
        raise BadInput(fields={"items": ", ".join(unknown[:20])})
    return [found[number] for number in numbers]


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
        return Response(CourtDecisionSerializer(done).data)


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
        return Response(CourtDecisionSerializer(done).data)


urlpatterns = [
    path("cases/open/", OpenCase.as_view(), name="case-open"),
    path("cases/<int:pk>/", OneCase.as_view(), name="case"),
    path("cases/<int:pk>/facts/", CaseFactsView.as_view(), name="case-facts"),
    path("cases/<int:pk>/counts/", CaseCounts.as_view(), name="case-counts"),
    path("cases/<int:pk>/persons/", CasePersons.as_view(), name="case-persons"),
    path("cases/<int:pk>/decisions/", Decide.as_view(), name="case-decide"),
    path("cases/<int:pk>/decisions/<int:decision>/confirm/", Confirm.as_view(), name="case-confirm"),
    path("cases/<int:pk>/decisions/<int:decision>/withdraw/", Withdraw.as_view(), name="case-withdraw"),
]
