"""Processing, for programs: scales and packing lines of processors."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.accounts.doors import granted, person_of
from core.accounts.idempotency import idempotent
from core.accounts.roles import Can
from core.accounts.signature import SignedSerializer, sign_by_password
from custody.scanning import find_items
from ledger.serializers import StoreField
from marking.services.issue import approve_and_mark, process_and_mark
from registry import services
from registry.models import Processing, Recipe
from registry.processing import stores_for_processing


class PackageSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField(min_value=1, default=1)
    mass_g = serializers.IntegerField(min_value=1, help_text="Of each package.")
    note = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class ProcessingSerializer(serializers.ModelSerializer[Processing]):
    """A run. Totals are null until it is registered; masses in grams; `intake` is the batch of what came out."""

    store = StoreField(read_only=True)
    intake = serializers.CharField(source="made.number", default=None, allow_null=True)
    items = serializers.SerializerMethodField(help_text="Keys of the items that go in.")
    outputs = PackageSerializer(many=True, read_only=True, help_text="What a draft says came out.")

    class Meta:
        model = Processing
        fields = [
            "id",
            "number",
            "recipe",
            "store",
            "on",
            "origin",
            "state",
            "version",
            "input_pieces",
            "input_g",
            "output_pieces",
            "output_g",
            "loss_g",
            "explanation",
            "asked_at",
            "approved_at",
            "approval_reason",
            "opened_at",
            "closed_at",
            "intake",
            "items",
            "outputs",
        ]

    def get_items(self, run: Processing) -> list[int]:
        return sorted(line.item_id for line in run.inputs.all())


class OpenRunSerializer(serializers.Serializer[Any]):
    recipe = serializers.ChoiceField(choices=Recipe.choices)
    store = StoreField()
    on = serializers.DateField(required=False)


class InputsSerializer(serializers.Serializer[Any]):
    items = serializers.ListField(
        child=serializers.CharField(max_length=400),
        allow_empty=False,
        max_length=20_000,
        help_text="Numbers (KZ26-0012345), mark codes or SSCCs of boxes.",
    )


class OutputsSerializer(serializers.Serializer[Any]):
    packages = PackageSerializer(many=True)
    version = serializers.IntegerField(required=False, min_value=0, help_text="The one you saw.")


class FinishSerializer(serializers.Serializer[Any]):
    loss_g = serializers.IntegerField(min_value=0, help_text="Exactly what went in less what came out.")
    explanation = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    version = serializers.IntegerField(required=False, min_value=0)


class ObstacleSerializer(serializers.Serializer[Any]):
    item = serializers.IntegerField()
    code = serializers.CharField()
    text = serializers.CharField()


class ChosenSerializer(serializers.Serializer[Any]):
    """How many items were put on the list, and what stands against those that were not."""

    added = serializers.IntegerField()
    refused = ObstacleSerializer(many=True)


class ApproveRunSerializer(SignedSerializer):
    reason = serializers.CharField(max_length=2000)


class ProcessingReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=2000)


def _runs(request: Request) -> QuerySet[Processing]:
    return (
        Processing.objects.visible_to(person_of(request))
        .select_related("made", "store")
        .prefetch_related("inputs", "outputs")
    )


def _run(request: Request, pk: int) -> Processing:
    return get_object_or_404(_runs(request), pk=pk)


def _answer(request: Request, pk: int, status: int = 200) -> Response:
    return Response(ProcessingSerializer(_run(request, pk)).data, status=status)


class Processings(ListAPIView[Processing]):
    """Runs in stores that you may know, newest first."""

    permission_classes = [granted(Can.PROCESS, Can.SEE_STOCK)]
    serializer_class = ProcessingSerializer
    queryset = Processing.objects.none()

    def get_queryset(self) -> QuerySet[Processing]:
        return _runs(self.request)

    @extend_schema(operation_id="processing_open", request=OpenRunSerializer, responses={201: ProcessingSerializer})
    @idempotent
    def post(self, request: Request) -> Response:
        """Begin a run in a store of yours."""
        given = OpenRunSerializer(data=request.data, context={"request": request})
        given.is_valid(raise_exception=True)
        store = get_object_or_404(stores_for_processing(person_of(request)), pk=given.validated_data["store"].pk)
        run = services.open_processing(
            actor=person_of(request),
            at=timezone.now(),
            recipe=Recipe(given.validated_data["recipe"]),
            store=store,
            on=given.validated_data.get("on"),
        )
        return _answer(request, run.pk, status=201)


class OneProcessing(APIView):
    permission_classes = [granted(Can.PROCESS, Can.SEE_STOCK)]

    @extend_schema(operation_id="processing_retrieve", responses=ProcessingSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """One run."""
        return _answer(request, pk)


class Inputs(APIView):
    permission_classes = [granted(Can.PROCESS)]

    @extend_schema(operation_id="processing_inputs_add", request=InputsSerializer, responses=ChosenSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Put items on the list of what goes in."""
        run = _run(request, pk)
        given = InputsSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        items = find_items(given.validated_data["items"], person=person_of(request))
        added, obstacles = services.choose_inputs(actor=person_of(request), at=timezone.now(), run=run, item_ids=items)
        refused = [
            {"item": item, "code": obstacle.code, "text": str(obstacle.text)}
            for item, found in obstacles.items()
            for obstacle in found
        ]
        return Response({"added": added, "refused": refused})

    @extend_schema(operation_id="processing_inputs_clear", request=None, responses=ProcessingSerializer)
    @idempotent
    def delete(self, request: Request, pk: int) -> Response:
        """Take everything off the list of what goes in."""
        services.drop_inputs(actor=person_of(request), at=timezone.now(), run=_run(request, pk))
        return _answer(request, pk)


class Outputs(APIView):
    permission_classes = [granted(Can.PROCESS)]

    @extend_schema(operation_id="processing_outputs", request=OutputsSerializer, responses=ProcessingSerializer)
    @idempotent
    def put(self, request: Request, pk: int) -> Response:
        """Write down all that came out, in place of what was written before."""
        given = OutputsSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        services.save_outputs(
            actor=person_of(request),
            at=timezone.now(),
            run=_run(request, pk),
            packages=[services.Package(**package) for package in given.validated_data["packages"]],
            version=given.validated_data.get("version"),
        )
        return _answer(request, pk)


class Register(APIView):
    permission_classes = [granted(Can.PROCESS)]

    @extend_schema(operation_id="processing_register", request=FinishSerializer, responses=ProcessingSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Consume what goes in, register and mark what came out: all of it or nothing.

        Where more is lost than the norm allows, the run is `awaiting` and nothing is consumed: the goods are held until
        the authority approves it or gives it back.
        """
        given = FinishSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        process_and_mark(actor=person_of(request), at=timezone.now(), run=_run(request, pk), **given.validated_data)
        return _answer(request, pk)


class Approve(APIView):
    permission_classes = [granted(Can.DECIDE_NOTICE)]

    @extend_schema(operation_id="processing_approve", request=ApproveRunSerializer, responses=ProcessingSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Let a run through that loses more than the norm, as the authority."""
        given = ApproveRunSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        run, person = _run(request, pk), person_of(request)
        sign_by_password(person, given.validated_data["password"])
        approve_and_mark(actor=person, at=timezone.now(), run=run, reason=given.validated_data["reason"])
        return _answer(request, pk)


class GiveBack(APIView):
    permission_classes = [granted(Can.DECIDE_NOTICE, Can.PROCESS)]

    @extend_schema(operation_id="processing_return", request=ProcessingReasonSerializer, responses=ProcessingSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Make a draft of a waiting run again; nothing was consumed."""
        given = ProcessingReasonSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        services.return_processing(
            actor=person_of(request), at=timezone.now(), run=_run(request, pk), **given.validated_data
        )
        return _answer(request, pk)


class Cancel(APIView):
    permission_classes = [granted(Can.PROCESS)]

    @extend_schema(operation_id="processing_cancel", request=ProcessingReasonSerializer, responses=ProcessingSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Give up a draft; nothing was consumed."""
        given = ProcessingReasonSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        services.cancel_processing(
            actor=person_of(request), at=timezone.now(), run=_run(request, pk), **given.validated_data
        )
        return _answer(request, pk)


urlpatterns = [
    path("processing/", Processings.as_view(), name="processings"),
    path("processing/<int:pk>/", OneProcessing.as_view(), name="processing"),
    path("processing/<int:pk>/inputs/", Inputs.as_view(), name="processing-inputs"),
    path("processing/<int:pk>/outputs/", Outputs.as_view(), name="processing-outputs"),
    path("processing/<int:pk>/register/", Register.as_view(), name="processing-register"),
    path("processing/<int:pk>/approve/", Approve.as_view(), name="processing-approve"),
    path("processing/<int:pk>/return/", GiveBack.as_view(), name="processing-return"),
    path("processing/<int:pk>/cancel/", Cancel.as_view(), name="processing-cancel"),
]
