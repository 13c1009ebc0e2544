"""Checking marks, for customs and partner systems: one, a thousand at once, the keys, the snapshot."""

from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import Throttled
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.accounts.doors import granted, person_of
from core.accounts.idempotency import idempotent
from core.accounts.roles import Can
from core.base.api import KeysetPagination
from core.base.ratelimit import allow
from core.base.visitors import own_hosts
from marking.checklog import asker_of, note_checks, read_place
from marking.limits import REDEMPTIONS, REDEMPTIONS_SECONDS, WINDOW_SECONDS, check_many_counted
from marking.models import CopyAlert, LabelHolding, LabelPlace, LabelReel, LabelRun, Mark
from marking.models.stock import offices_of
from marking.refusals import note_refusal
from marking.selectors import Answer, newest_snapshot, public_keys
from marking.serializers_checks import (
    LONGEST_TEXT,
    AnswerSerializer,
    AnswersSerializer,
    ChecksSerializer,
    CopyAlertSerializer,
    CopyAlertWithChecksSerializer,
    HiddenCodeSerializer,
    HiddenCodesSerializer,
    OnceSerializer,
    PlaceSerializer,
    PublicKeysSerializer,
    RedemptionSerializer,
    SnapshotIndexSerializer,
)
from marking.services.once import make_once_codes, read_once_texts, redeem_once

PLACE = OpenApiParameter(
    "place",
    str,
    description="Roughly where: 51.2,51.4 (degrees north and east, kept to a tenth) or the two digits of a region.",
)
VIA = OpenApiParameter("via", str, enum=["app", "api"], description="app for the scanner, api for a program.")


class CheckMarks(APIView):
    permission_classes = [granted()]

    @extend_schema(
        operation_id="marks_check",
        parameters=[
            OpenApiParameter("text", str, required=True, description="A code, a signed text, or its address."),
            PLACE,
            VIA,
        ],
        responses=AnswerSerializer,
    )
    def get(self, request: Request) -> Response:
        """Whether a mark is genuine, and what has become of its item: what the public check says."""
        asked = request.query_params
        via = "app" if asked.get("via") == "app" else "api"
        given = PlaceSerializer(data={"place": asked.get("place", "")})
        given.is_valid(raise_exception=True)
        place = given.validated_data["place"]
        (answer,) = self._check(request, [asked.get("text", "")[:LONGEST_TEXT]], place, via)
        return Response(AnswerSerializer(answer).data)

    @extend_schema(operation_id="marks_check_many", request=ChecksSerializer, responses=AnswersSerializer)
    def post(self, request: Request) -> Response:
        """The same for up to 1,000 texts at once. Changes nothing, so it needs no key and may be repeated."""
        given = ChecksSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        asked = given.validated_data
        answers = self._check(request, asked["texts"], asked["place"], asked["via"])
        return Response({"results": [AnswerSerializer(answer).data for answer in answers]})

    def _check(self, request: Request, texts: list[str], place: str, via: str) -> list[Answer]:
        person = person_of(request)
        answers = check_many_counted(texts, visitor=f"person-{person.pk}", own_hosts=own_hosts(request))
        if answers is None:
            raise Throttled(wait=WINDOW_SECONDS)
        note_checks(
            zip(answers, texts, strict=True),
            at=timezone.now(),
            channel=via,
            asker=asker_of(person),
            place=read_place(place),
        )
        return answers


class Keys(APIView):
    permission_classes = [granted()]

    @extend_schema(operation_id="marks_keys", responses=PublicKeysSerializer)
    def get(self, request: Request) -> Response:
        """The public keys that have ever signed marks; the same without a key for programs at /m/keys.json."""
        return Response(public_keys())


class SnapshotIndex(APIView):
    permission_classes = [granted()]

    @extend_schema(operation_id="marks_snapshot", responses=SnapshotIndexSerializer)
    def get(self, request: Request) -> Response:
        """The newest edition of the snapshot and where to fetch it; without a key for programs: /m/snapshot.json."""
        newest = newest_snapshot()
        if newest is None:
            raise Http404
        return Response(newest)


class Newest(KeysetPagination):
    ordering = "-found_at"


class Copies(ListAPIView[CopyAlert]):
    """Labels that may be copied, the newest alert first."""

    permission_classes = [granted(Can.SEE_EVERYTHING)]
    serializer_class = CopyAlertSerializer
    pagination_class: type[CursorPagination] = Newest
    queryset = CopyAlert.objects.none()

    @extend_schema(parameters=[OpenApiParameter("open", str, enum=["yes"], description="Only those not decided.")])
    def get(self, request: Request) -> Response:
        return self.list(request)

    def get_queryset(self) -> QuerySet[CopyAlert]:
        found = CopyAlert.objects.visible_to(person_of(self.request)).select_related("notice", "mark")
        return found.open() if self.request.query_params.get("open") == "yes" else found


class OneCopy(RetrieveAPIView[CopyAlert]):
    """One alert with the checks it rests on."""

    permission_classes = [granted(Can.SEE_EVERYTHING)]
    serializer_class = CopyAlertWithChecksSerializer
    queryset = CopyAlert.objects.none()

    def get_queryset(self) -> QuerySet[CopyAlert]:
        return CopyAlert.objects.visible_to(person_of(self.request)).select_related("notice", "mark")


class Redeem(APIView):
    permission_classes = [granted()]

    @extend_schema(operation_id="marks_redeem", request=OnceSerializer, responses=RedemptionSerializer)
    @idempotent
    def post(self, request: Request) -> Response:
        """Use up the hidden code of a label for its first owner; a repeat under the same key gets the same answer."""
        given = OnceSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        if not allow(f"once:person-{person_of(request).pk}", limit=REDEMPTIONS, seconds=REDEMPTIONS_SECONDS):
            note_refusal("once", f"person-{person_of(request).pk}")
            raise Throttled(wait=REDEMPTIONS_SECONDS)
        asked = given.validated_data
        done = redeem_once(at=timezone.now(), code=asked["code"], text=asked["hidden"])
        return Response(RedemptionSerializer(done).data)


class HiddenCodesOfRun(APIView):
    permission_classes = [granted(Can.PRINT_LABELS)]

    @extend_schema(operation_id="labels_hidden_codes", request=None, responses=HiddenCodesSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Give the labels of a run hidden codes, before it is drawn or for its next print."""
        person = person_of(request)
        run = get_object_or_404(LabelRun.objects.visible_to(person), pk=pk)
        codes = list(run.run_marks.values_list("mark", flat=True))
        made = make_once_codes(actor=person, at=timezone.now(), codes=codes, subject=("label_run", run.pk))
        return Response({"made": made})


class HiddenCodesOfReel(APIView):
    permission_classes = [granted(Can.PRINT_LABELS)]

    @extend_schema(operation_id="label_reels_hidden_codes_list", responses=HiddenCodeSerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        """What is printed under the flaps of a reel, for the office that prints it and until it is printed."""
        person = person_of(request)
        waits = LabelHolding.objects.filter(place=LabelPlace.TO_PRINT, pieces__gt=0).values("reel")
        own = LabelReel.objects.visible_to(person).filter(series__printer__in=offices_of(person), pk__in=waits)
        reel = get_object_or_404(own, pk=pk)
        places = dict(reel.marks.filter(state=Mark.State.BLANK).values_list("pk", "place_on_reel"))
        texts = read_once_texts(actor=person, at=timezone.now(), codes=places, subject=("label_reel", reel.pk))
        rows = [{"place": places[code] or 0, "code": code, "hidden": text} for code, text in texts.items()]
        return Response(sorted(rows, key=lambda row: int(row["place"])))

    @extend_schema(operation_id="label_reels_hidden_codes", request=None, responses=HiddenCodesSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Give the blank labels of a reel hidden codes, before it is printed."""
        person = person_of(request)
        reel = get_object_or_404(LabelReel.objects.visible_to(person), pk=pk)
        codes = list(reel.marks.filter(state="blank").values_list("pk", flat=True))
        made = make_once_codes(actor=person, at=timezone.now(), codes=codes, subject=("label_reel", reel.pk))
        return Response({"made": made})


urlpatterns = [
    path("marks/check/", CheckMarks.as_view(), name="mark-check"),
    path("marks/keys/", Keys.as_view(), name="mark-keys"),
    path("marks/snapshot/", SnapshotIndex.as_view(), name="mark-snapshot"),
    path("marks/redeem/", Redeem.as_view(), name="mark-redeem"),
    path("copies/", Copies.as_view(), name="copies"),
    path("copies/<uuid:pk>/", OneCopy.as_view(), name="copy"),
    path("labels/<int:pk>/hidden-codes/", HiddenCodesOfRun.as_view(), name="label-run-hidden"),
    path("label-reels/<int:pk>/hidden-codes/", HiddenCodesOfReel.as_view(), name="label-reel-hidden"),
]
