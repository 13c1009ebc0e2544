"""Loss and destruction, for programs: the same acts as on their pages, signed with the same password."""

from typing import Any, cast

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import path, re_path
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.accounts.doors import granted, person_of
from core.accounts.idempotency import idempotent
from core.accounts.models import User
from core.accounts.roles import Can
from core.accounts.signature import SignedSerializer, sign_by_password
from core.base.api import KeysetPagination
from core.base.errors import BadInput
from core.base.visitors import own_hosts
from core.documents.acts import Language
from core.documents.services import serve
from custody.forms.loss import WitnessForm
from custody.missing import MOST_GRAMS, read_found, what_is_missing
from custody.models import CommissionMember, DestructionLine, DestructionOrder, LossAct, LossLine, LossReport
from custody.papers import destruction_paper, loss_paper
from custody.scanning import find_items, read_scan
from custody.services import destruction, loss
from ledger.models import CustodyAccount
from ledger.serializers import StoreField, no_such_store

MOST_ITEMS = 20_000
WITH_FILES = [JSONParser, MultiPartParser, FormParser]


def _items(**more: Any) -> serializers.ListField:
    return serializers.ListField(child=serializers.CharField(max_length=400), max_length=MOST_ITEMS, **more)


class PersonField(serializers.SlugRelatedField[User]):
    """A person by the user name."""

    def __init__(self) -> None:
        super().__init__(slug_field="username", read_only=True)


class LossReportSerializer(serializers.ModelSerializer[LossReport]):
    account = serializers.SlugRelatedField[CustodyAccount](slug_field="code", read_only=True)
    reported_by = PersonField()

    class Meta:
        model = LossReport
        fields = (
            "id",
            "number",
            "kind",
            "account",
            "place",
            "last_seen_on",
            "noticed_on",
            "search_until",
            "circumstances",
            "how_found",
            "told",
            "police_number",
            "reference",
            "reported_by",
            "reported_at",
        )


class LossLineSerializer(serializers.ModelSerializer[LossLine]):
    number = serializers.CharField(source="item.derivative.number")

    class Meta:
        model = LossLine
        fields = ("number", "outcome", "act", "found_mark", "found_g")


class ReportLossSerializer(serializers.Serializer[Any]):
    """Items by registration number, mark or box, all in one place; or `missing_of`, the number of a hand-over or of a
    stock-take, for whatever is missing of it.
    """

    kind = serializers.ChoiceField(choices=[LossReport.Kind.LOSS, LossReport.Kind.THEFT], default=LossReport.Kind.LOSS)
    account = StoreField(required=False, allow_null=True, default=None)
    items = _items(required=False)
    missing_of = serializers.CharField(max_length=20, allow_blank=True, default="")
    place = serializers.CharField(max_length=200)
    last_seen_on = serializers.DateField()
    noticed_on = serializers.DateField()
    circumstances = serializers.CharField(max_length=4000)
    how_found = serializers.CharField(max_length=1000, help_text="Who noticed it, and by what.")
    told = serializers.CharField(max_length=400, help_text="Who was told: name, post and office.")
    police_number = serializers.CharField(max_length=60, allow_blank=True, default="")


class PoliceSerializer(serializers.Serializer[Any]):
    police_number = serializers.CharField(max_length=60)


class FoundSerializer(serializers.Serializer[Any]):
    """One item that was found: what was read from it, and what it weighs."""

    scan = serializers.CharField(max_length=400)
    grams = serializers.IntegerField(min_value=1, max_value=MOST_GRAMS)


class ProposeSerializer(serializers.Serializer[Any]):
    """Items found again, with the code of the store they are in, or to be written off.

    What was declared missing, on arrival or by a stock-take, is `found`: the mark and the mass of each item.
    A write-off says why there is no number of the police, and why the search ends early, where that is so.
    """

    kind = serializers.ChoiceField(choices=LossAct.Kind.choices)
    items = _items(min_length=1)
    reason = serializers.CharField(max_length=4000)
    target = serializers.CharField(max_length=20, required=False, help_text="Code of the store; for a recovery.")
    found = serializers.ListField(child=FoundSerializer(), required=False, max_length=MOST_ITEMS)
    no_police_reason = serializers.CharField(max_length=500, allow_blank=True, default="")
    early_reason = serializers.CharField(max_length=500, allow_blank=True, default="")


class LossReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500)


class LossActSerializer(serializers.ModelSerializer[LossAct]):
    target = serializers.SlugRelatedField[CustodyAccount](slug_field="code", read_only=True)
    proposed_by = PersonField()
    decided_by = PersonField()

    class Meta:
        model = LossAct
        fields = (
            "id",
            "number",
            "report",
            "kind",
            "reason",
            "no_police_reason",
            "early_reason",
            "target",
            "state",
            "proposed_by",
            "proposed_at",
            "decided_by",
            "decided_at",
            "decide_reason",
        )


class LossDetailSerializer(LossReportSerializer):
    acts = LossActSerializer(many=True)

    class Meta(LossReportSerializer.Meta):
        fields = (*LossReportSerializer.Meta.fields, "acts")  # type: ignore[assignment]


class DestructionSerializer(serializers.ModelSerializer[DestructionOrder]):
    store = serializers.SlugRelatedField[CustodyAccount](slug_field="code", read_only=True)
    ordered_by = PersonField()

    class Meta:
        model = DestructionOrder
        fields = (
            "id",
            "number",
            "store",
            "basis",
            "basis_paper",
            "planned_on",
            "place",
            "method",
            "quorum",
            "state",
            "mass_before_g",
            "mass_after_g",
            "mass_reason",
            "digest",
            "ordered_by",
            "ordered_at",
            "ended_at",
            "cancel_reason",
        )


class MemberSerializer(serializers.ModelSerializer[CommissionMember]):
    """One of the commission: a person of the register by `username`, or a witness."""

    username = serializers.CharField(source="user.username", allow_null=True, default=None)

    class Meta:
        model = CommissionMember
        fields = ("id", "username", "full_name", "post", "signed_at")


class MassesSerializer(serializers.Serializer[Any]):
    pieces = serializers.IntegerField()
    grams = serializers.IntegerField()
    scanned = serializers.IntegerField()
    scanned_grams = serializers.IntegerField()
    weighed_grams = serializers.IntegerField()


class DestructionDetailSerializer(DestructionSerializer):
    """`files` are part of what is signed, by their SHA-256."""

    members = MemberSerializer(many=True)
    masses = serializers.SerializerMethodField()
    files = serializers.SerializerMethodField()

    class Meta(DestructionSerializer.Meta):
        fields = (*DestructionSerializer.Meta.fields, "members", "masses", "files")  # type: ignore[assignment]

    @extend_schema_field(MassesSerializer)
    def get_masses(self, order: DestructionOrder) -> dict[str, int]:
        return destruction.masses(order)

    def get_files(self, order: DestructionOrder) -> list[str]:
        return list(destruction.shown_files(order).values_list("document__sha256", flat=True))


class DestructionLineSerializer(serializers.ModelSerializer[DestructionLine]):
    number = serializers.CharField(source="item.derivative.number")

    class Meta:
        model = DestructionLine
        fields = ("number", "booked_g", "weighed_g", "mass_reason", "scanned_at", "outcome")


class OrderSerializer(serializers.Serializer[Any]):
    """What no court gave up to destruction needs the document of its basis as `basis_file` (multipart)."""

    store = StoreField()
    basis = serializers.ChoiceField(choices=DestructionOrder.Basis.choices)
    basis_paper = serializers.CharField(max_length=200)
    basis_file = serializers.FileField(required=False, allow_null=True, default=None)
    planned_on = serializers.DateField()
    items = _items(default=list)


class GoodsSerializer(serializers.Serializer[Any]):
    items = _items(min_length=1)


class NewMemberSerializer(serializers.Serializer[Any]):
    """A person of the register by `username`, or a witness by `full_name` and `identity`."""

    username = serializers.CharField(max_length=150, allow_blank=True, default="")
    full_name = serializers.CharField(max_length=200, allow_blank=True, default="")
    identity = serializers.CharField(max_length=60, allow_blank=True, default="", help_text="IIN or document.")
    post = serializers.CharField(max_length=200)


class CommissionScanSerializer(serializers.Serializer[Any]):
    item = serializers.CharField(max_length=400)
    weighed_g = serializers.IntegerField(min_value=1, max_value=destruction.MOST_GRAMS, allow_null=True, default=None)
    is_confirmed = serializers.BooleanField(default=False, help_text="A mass far from the register was read again.")
    mass_reason = serializers.CharField(
        max_length=300, allow_blank=True, default="", help_text="Why a mass that is far from the register is right."
    )


class CloseListSerializer(serializers.Serializer[Any]):
    place = serializers.CharField(max_length=200)
    method = serializers.CharField(max_length=200)
    mass_before_g = serializers.IntegerField(min_value=1, max_value=destruction.MOST_GRAMS)
    mass_after_g = serializers.IntegerField(min_value=0, max_value=destruction.MOST_GRAMS)
    mass_reason = serializers.CharField(max_length=500, allow_blank=True, default="")


class SignDestructionSerializer(SignedSerializer):
    """`digest` of what you saw. A witness's drawn signature is sent, as a PNG data URL, by the member who takes it."""

    digest = serializers.CharField(max_length=64)
    witness = serializers.IntegerField(required=False, help_text="The witness whose signature you take, by its id.")
    signature = serializers.CharField(max_length=500_000, required=False)


class Losses(ListAPIView[LossReport]):
    """Reports of loss that you may know, newest first."""

    permission_classes = [granted(Can.REPORT_LOSS, Can.SEE_EVERYTHING)]
    serializer_class = LossReportSerializer
    queryset = LossReport.objects.none()

    def get_queryset(self) -> QuerySet[LossReport]:
        return LossReport.objects.visible_to(person_of(self.request)).select_related("account", "reported_by")


def _report(request: Request, pk: int) -> LossReport:
    known = LossReport.objects.visible_to(person_of(request)).select_related("account__custodian", "reported_by")
    return get_object_or_404(known, pk=pk)


def _act(request: Request, pk: int, act: int) -> LossAct:
    found = _report(request, pk)
    acts = LossAct.objects.select_related("proposed_by", "decided_by", "target", "paper_kk", "paper_ru")
    named = get_object_or_404(acts, pk=act, report=found)
    named.report = found
    return named


def _read(shape: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    given = shape(data=request.data, context={"request": request})
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


class OneLoss(APIView):
    permission_classes = [granted(Can.REPORT_LOSS, Can.SEE_EVERYTHING)]

    @extend_schema(operation_id="losses_retrieve", responses=LossDetailSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """One report with its acts; approve an act by its `id`."""
        return Response(LossDetailSerializer(_report(request, pk)).data)


class LinePagination(KeysetPagination):
    ordering = "pk"


class LossItems(ListAPIView[LossLine]):
    """The items of a report, and how each was settled."""

    permission_classes = [granted(Can.REPORT_LOSS, Can.SEE_EVERYTHING)]
    serializer_class = LossLineSerializer
    pagination_class = LinePagination
    queryset = LossLine.objects.none()

    def get_queryset(self) -> QuerySet[LossLine]:
        found = _report(self.request, self.kwargs["pk"])
        return LossLine.objects.filter(report=found).select_related("item__derivative")


class NotePolice(APIView):
    permission_classes = [granted(Can.REPORT_LOSS)]

    @extend_schema(operation_id="losses_note_police", request=PoliceSerializer, responses=LossReportSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Note the number under which the police were told."""
        given = _read(PoliceSerializer, request)
        noted = loss.note_police(actor=person_of(request), at=timezone.now(), report=_report(request, pk), **given)
        return Response(LossReportSerializer(noted).data)


class ReportLoss(APIView):
    permission_classes = [granted(Can.REPORT_LOSS)]

    @extend_schema(operation_id="losses_report", request=ReportLossSerializer, responses={201: LossReportSerializer})
    @idempotent
    def post(self, request: Request) -> Response:
        """Report items as lost or stolen: they are held at once and the authority is told."""
        said = _read(ReportLossSerializer, request)
        person, named, source = person_of(request), said.pop("account"), said.pop("missing_of")
        place, items, kind = what_is_missing(person, said.pop("items", []), source=source, kind=said.pop("kind"))
        if named is not None and named != place:
            said_of_place = _("These items are not together in one place of yours. Report each place.")
            raise BadInput(fields={"account": said_of_place})
        report = loss.report_loss(
            actor=person,
            at=timezone.now(),
            account=place,
            item_ids=items,
            kind=kind,
            reference=source.strip().upper(),
            **said,
        )
        return Response(LossReportSerializer(report).data, status=201)


class ProposeAct(APIView):
    permission_classes = [granted(Can.REPORT_LOSS)]

    @extend_schema(operation_id="losses_propose", request=ProposeSerializer, responses={201: LossActSerializer})
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Propose that items were found again, or are written off; another person decides."""
        said = _read(ProposeSerializer, request)
        report = _report(request, pk)
        target = None
        if code := said.pop("target", ""):
            target = loss.places_for_found(report).filter(code=code).first()
            if target is None:
                raise BadInput(fields={"target": no_such_store(code)})
        act = loss.propose_act(
            actor=person_of(request),
            at=timezone.now(),
            report=report,
            target=target,
            item_ids=find_items(said.pop("items"), person=person_of(request)),
            kind=LossAct.Kind(said.pop("kind")),
            found=read_found([(one["scan"], one["grams"]) for one in said.pop("found", [])], person=person_of(request)),
            **said,
        )
        return Response(LossActSerializer(act).data, status=201)


class ApproveAct(APIView):
    permission_classes = [granted(Can.REPORT_LOSS, Can.APPROVE_WRITE_OFF)]

    @extend_schema(operation_id="losses_approve", request=SignedSerializer, responses=LossActSerializer)
    @idempotent
    def post(self, request: Request, pk: int, act: int) -> Response:
        """Approve an act that another person proposed; signed with your password."""
        waiting = _act(request, pk, act)
        sign_by_password(person_of(request), _read(SignedSerializer, request)["password"])
        done = loss.approve_act(actor=person_of(request), at=timezone.now(), act=waiting)
        return Response(LossActSerializer(done).data)


class RefuseAct(APIView):
    permission_classes = [granted(Can.REPORT_LOSS, Can.APPROVE_WRITE_OFF)]

    @extend_schema(operation_id="losses_refuse", request=LossReasonSerializer, responses=LossActSerializer)
    @idempotent
    def post(self, request: Request, pk: int, act: int) -> Response:
        """Not approve an act, or take back your own; the items stay reported and held."""
        given = _read(LossReasonSerializer, request)
        done = loss.refuse_act(actor=person_of(request), at=timezone.now(), act=_act(request, pk, act), **given)
        return Response(LossActSerializer(done).data)


class LossPaper(APIView):
    permission_classes = [granted(Can.REPORT_LOSS, Can.SEE_EVERYTHING)]

    @extend_schema(operation_id="losses_paper", responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    def get(self, request: Request, pk: str, act: str, language: str) -> HttpResponseBase:
        """The approved act as PDF, in Kazakh or Russian."""
        found = _act(request, int(pk), int(act))
        return serve(loss_paper(found, cast("Language", language), actor=person_of(request), at=timezone.now()))


class Destructions(ListAPIView[DestructionOrder]):
    """Destructions that you may know, newest first."""

    permission_classes = [granted()]
    serializer_class = DestructionSerializer
    queryset = DestructionOrder.objects.none()

    def get_queryset(self) -> QuerySet[DestructionOrder]:
        return DestructionOrder.objects.visible_to(person_of(self.request)).select_related("store", "ordered_by")


def _order(request: Request, pk: int) -> DestructionOrder:
    known = DestructionOrder.objects.visible_to(person_of(request)).select_related(
        "store__custodian", "ordered_by", "ended_by", "basis_document", "paper_kk", "paper_ru", "paper_en"
    )
    return get_object_or_404(known, pk=pk)


def _answer(request: Request, pk: int) -> Response:
    order = _order(request, pk)
    return Response(DestructionDetailSerializer(order).data)


class OneDestruction(APIView):
    permission_classes = [granted()]

    @extend_schema(operation_id="destructions_retrieve", responses=DestructionDetailSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """One destruction: its commission, counts, and the `digest` that is signed."""
        return _answer(request, pk)


class DestructionItems(ListAPIView[DestructionLine]):
    """The list of a destruction."""

    permission_classes = [granted()]
    serializer_class = DestructionLineSerializer
    pagination_class = LinePagination
    queryset = DestructionLine.objects.none()

    def get_queryset(self) -> QuerySet[DestructionLine]:
        found = _order(self.request, self.kwargs["pk"])
        return DestructionLine.objects.filter(order=found).select_related("item__derivative")


class OrderDestruction(APIView):
    permission_classes = [granted(Can.ORDER_DESTRUCTION)]
    parser_classes = WITH_FILES

    @extend_schema(operation_id="destructions_order", request=OrderSerializer, responses={201: DestructionSerializer})
    @idempotent
    def post(self, request: Request) -> Response:
        """Open the list of goods to destroy; they are held from this moment."""
        said = _read(OrderSerializer, request)
        texts = said.pop("items")
        order = destruction.order_destruction(
            actor=person_of(request),
            at=timezone.now(),
            item_ids=find_items(texts, person=person_of(request)) if texts else [],
            **said | {"basis": DestructionOrder.Basis(said["basis"])},
        )
        return Response(DestructionSerializer(order).data, status=201)


class ScanAtAct(APIView):
    permission_classes = [granted()]

    @extend_schema(operation_id="destructions_scan", request=CommissionScanSerializer, responses=MassesSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Note that one item of the list is in hand at the act, perhaps with its mass now; the counts of the list.

        An item that is not on the list is refused (`not-on-the-list`), and so is a box: every item is shown by itself.
        """
        given, order = _read(CommissionScanSerializer, request), _order(request, pk)
        read = read_scan(given["item"], person=person_of(request), own_hosts=own_hosts(request))
        if read.item is None:
            refused = read.refused.text if read.refused else _("Every item is shown one by one at the act.")
            raise BadInput(fields={"item": refused})
        destruction.scan_goods(
            actor=person_of(request),
            at=timezone.now(),
            order=order,
            item_id=read.item.pk,
            weighed_g=given["weighed_g"],
            is_confirmed=given["is_confirmed"],
            mass_reason=given["mass_reason"],
        )
        return Response(destruction.masses(order))


class AddGoods(APIView):
    permission_classes = [granted(Can.ORDER_DESTRUCTION)]

    @extend_schema(
        operation_id="destructions_add_goods", request=GoodsSerializer, responses=DestructionDetailSerializer
    )
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Put items of the store on the list; they are held."""
        items = find_items(_read(GoodsSerializer, request)["items"], person=person_of(request))
        order = _order(request, pk)
        destruction.add_goods(actor=person_of(request), at=timezone.now(), order=order, item_ids=items)
        return _answer(request, pk)


class Seat(APIView):
    permission_classes = [granted(Can.ORDER_DESTRUCTION)]

    @extend_schema(operation_id="destructions_seat", request=NewMemberSerializer, responses={201: MemberSerializer})
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Take a person of the register into the commission, or a witness beside them."""
        given, order = _read(NewMemberSerializer, request), _order(request, pk)
        person = None
        if username := given.pop("username").strip():
            person = User.objects.filter(username__iexact=username, is_active=True).first()
            if person is None:
                raise BadInput(fields={"username": _("No person of the register has this user name.")})
        member = destruction.seat_member(actor=person_of(request), at=timezone.now(), order=order, user=person, **given)
        return Response(MemberSerializer(member).data, status=201)


class Unseat(APIView):
    permission_classes = [granted(Can.ORDER_DESTRUCTION)]

    @extend_schema(operation_id="destructions_unseat", request=None, responses=DestructionDetailSerializer)
    @idempotent
    def post(self, request: Request, pk: int, member: int) -> Response:
        """Let a member leave before the list is closed."""
        leaving = get_object_or_404(CommissionMember, pk=member, order=_order(request, pk))
        destruction.unseat_member(actor=person_of(request), at=timezone.now(), member=leaving)
        return _answer(request, pk)


class CloseList(APIView):
    permission_classes = [granted()]

    @extend_schema(
        operation_id="destructions_close", request=CloseListSerializer, responses=DestructionDetailSerializer
    )
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Fix the list as scanned, with photos and masses; from then on the commission signs its `digest`."""
        given, order = _read(CloseListSerializer, request), _order(request, pk)
        destruction.close_list(actor=person_of(request), at=timezone.now(), order=order, **given)
        return _answer(request, pk)


class OpenListAgain(APIView):
    permission_classes = [granted(Can.ORDER_DESTRUCTION)]

    @extend_schema(
        operation_id="destructions_open", request=LossReasonSerializer, responses=DestructionDetailSerializer
    )
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Go back to scanning; all signatures end."""
        given, order = _read(LossReasonSerializer, request), _order(request, pk)
        destruction.open_list_again(actor=person_of(request), at=timezone.now(), order=order, **given)
        return _answer(request, pk)


def _drawn(text: str) -> bytes:
    """The picture of a signature. Raises BadInput."""
    form = WitnessForm({"signature": text})
    if not form.is_valid():
        raise BadInput(fields={"signature": " ".join(map(str, form.errors["signature"]))})
    picture: bytes = form.cleaned_data["signature"]
    return picture


class SignDestruction(APIView):
    permission_classes = [granted()]

    @extend_schema(
        operation_id="destructions_sign", request=SignDestructionSerializer, responses=DestructionDetailSerializer
    )
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Sign for yourself with your password; or take the drawn signature of a `witness` before you."""
        person, given, order = person_of(request), _read(SignDestructionSerializer, request), _order(request, pk)
        whose = {"pk": given["witness"], "user": None} if "witness" in given else {"user": person}
        member = get_object_or_404(CommissionMember, order=order, **whose)
        sign_by_password(person, given["password"])
        picture = _drawn(given.get("signature", "")) if "witness" in given else None
        destruction.sign_destruction(
            actor=person, at=timezone.now(), member=member, digest=given["digest"], picture=picture
        )
        return _answer(request, pk)


class ExecuteDestruction(APIView):
    permission_classes = [granted()]

    @extend_schema(operation_id="destructions_execute", request=None, responses=DestructionDetailSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Complete what all have signed: the goods leave the register and the marks answer so."""
        destruction.execute_destruction(actor=person_of(request), at=timezone.now(), order=_order(request, pk))
        return _answer(request, pk)


class CancelDestruction(APIView):
    permission_classes = [granted(Can.ORDER_DESTRUCTION)]

    @extend_schema(
        operation_id="destructions_cancel", request=LossReasonSerializer, responses=DestructionDetailSerializer
    )
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Give the order up; its goods are free again, unless a court holds them."""
        given, order = _read(LossReasonSerializer, request), _order(request, pk)
        destruction.cancel_destruction(actor=person_of(request), at=timezone.now(), order=order, **given)
        return _answer(request, pk)


class DestructionPaper(APIView):
    permission_classes = [granted()]

    @extend_schema(operation_id="destructions_paper", responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    def get(self, request: Request, pk: str, language: str) -> HttpResponseBase:
        """The signed act as PDF."""
        found = _order(request, int(pk))
        return serve(destruction_paper(found, cast("Language", language), actor=person_of(request), at=timezone.now()))


urlpatterns = [
    path("losses/", Losses.as_view(), name="losses"),
    path("losses/report/", ReportLoss.as_view(), name="loss-report"),
    path("losses/<int:pk>/", OneLoss.as_view(), name="loss"),
    path("losses/<int:pk>/items/", LossItems.as_view(), name="loss-items"),
    path("losses/<int:pk>/police/", NotePolice.as_view(), name="loss-police"),
    path("losses/<int:pk>/acts/", ProposeAct.as_view(), name="loss-propose"),
    path("losses/<int:pk>/acts/<int:act>/approve/", ApproveAct.as_view(), name="loss-approve"),
    path("losses/<int:pk>/acts/<int:act>/refuse/", RefuseAct.as_view(), name="loss-refuse"),
    re_path(
        r"^losses/(?P<pk>\d{1,18})/acts/(?P<act>\d{1,18})/(?P<language>kk|ru)\.pdf$",
        LossPaper.as_view(),
        name="loss-paper",
    ),
    path("destructions/", Destructions.as_view(), name="destructions"),
    path("destructions/order/", OrderDestruction.as_view(), name="destruction-order"),
    path("destructions/<int:pk>/", OneDestruction.as_view(), name="destruction"),
    path("destructions/<int:pk>/items/", DestructionItems.as_view(), name="destruction-items"),
    path("destructions/<int:pk>/goods/", AddGoods.as_view(), name="destruction-goods"),
    path("destructions/<int:pk>/commission/", Seat.as_view(), name="destruction-seat"),
    path("destructions/<int:pk>/commission/<int:member>/leave/", Unseat.as_view(), name="destruction-unseat"),
    path("destructions/<int:pk>/scan/", ScanAtAct.as_view(), name="destruction-scan"),
    path("destructions/<int:pk>/close/", CloseList.as_view(), name="destruction-close"),
    path("destructions/<int:pk>/open/", OpenListAgain.as_view(), name="destruction-open"),
    path("destructions/<int:pk>/sign/", SignDestruction.as_view(), name="destruction-sign"),
    path("destructions/<int:pk>/execute/", ExecuteDestruction.as_view(), name="destruction-execute"),
    path("destructions/<int:pk>/cancel/", CancelDestruction.as_view(), name="destruction-cancel"),
    re_path(
        r"^destructions/(?P<pk>\d{1,18})/act-(?P<language>kk|ru|en)\.pdf$",
        DestructionPaper.as_view(),
        name="destruction-paper",
    ),
]
