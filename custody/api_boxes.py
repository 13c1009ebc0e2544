"""Boxes, pallets and shelves for programs."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path, re_path
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.accounts.doors import granted, person_of
from core.accounts.idempotency import idempotent
from core.accounts.roles import Can
from core.base.errors import BadInput
from core.base.visitors import own_hosts
from custody.boxes import Content, contents_of, places_of
from custody.packing import pack_scan, place_scan, take_out_scan
from custody.scanning import find_items, read_scan
from ledger import services
from ledger.models import Box, CustodyAccount, Packing, Shelf
from ledger.selectors import items_on_shelves, whereabouts
from ledger.serializers import no_such_store

ITEMS_HELP = "Readable numbers (KZ26-0012345) or marks."


class BoxSerializer(serializers.ModelSerializer[Box]):
    store = serializers.CharField(source="account.code")
    pallet = serializers.CharField(source="parent.sscc", default=None, allow_null=True)
    seal = serializers.CharField(source="seal_number")
    pieces = serializers.SerializerMethodField()
    grams = serializers.SerializerMethodField()

    class Meta:
        model = Box
        fields = ["sscc", "kind", "store", "pallet", "seal", "sealed_at", "begun_at", "pieces", "grams"]

    def get_pieces(self, box: Box) -> int:
        return self._content(box).pieces

    def get_grams(self, box: Box) -> int:
        return self._content(box).grams

    def _content(self, box: Box) -> Content:
        contents: dict[int, Content] | None = self.context.get("contents")
        if contents is None:
            contents = contents_of([box.pk])
        return contents.get(box.pk, Content())


class PackedSerializer(serializers.ModelSerializer[Packing]):
    number = serializers.CharField(source="item.derivative.number")
    term = serializers.CharField(source="item.derivative.term")

    class Meta:
        model = Packing
        fields = ["item", "number", "term", "packed_at"]


class BeginSerializer(serializers.Serializer[Any]):
    store = serializers.CharField(help_text="Code of the store.")
    kind = serializers.ChoiceField(choices=Box.Kind.choices, default=Box.Kind.BOX)
    count = serializers.IntegerField(min_value=1, max_value=200, default=1)


class ItemsSerializer(serializers.Serializer[Any]):
    items = serializers.ListField(child=serializers.CharField(max_length=500), allow_empty=False, help_text=ITEMS_HELP)


class BoxScanSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(max_length=500, help_text="A mark, a readable number, or an SSCC.")
    way = serializers.ChoiceField(choices=["in", "out"], default="in")


class SealSerializer(serializers.Serializer[Any]):
    seal = serializers.CharField(max_length=40)


class OpenSealSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=300)


class SaidSerializer(serializers.Serializer[Any]):
    verdict = serializers.ChoiceField(choices=["ok", "attention", "stop"])
    title = serializers.CharField()
    text = serializers.CharField(allow_blank=True)


class ShelfSerializer(serializers.ModelSerializer[Shelf]):
    number = serializers.CharField(help_text="What its label says to a scanner.")
    store = serializers.CharField(source="account.code")

    class Meta:
        model = Shelf
        fields = ["id", "number", "store", "code", "name"]


class ShelvesSerializer(serializers.Serializer[Any]):
    store = serializers.CharField(help_text="Code of the store.")
    codes = serializers.ListField(child=serializers.CharField(max_length=20), allow_empty=False, max_length=500)
    name = serializers.CharField(required=False, default="", allow_blank=True, max_length=100)


class ShelvingSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(max_length=500, help_text="A mark, a readable number, or the SSCC of a box.")


class WhereSerializer(serializers.Serializer[Any]):
    item = serializers.IntegerField()
    box = serializers.CharField(allow_null=True)
    shelf = serializers.CharField(allow_null=True)


def _known(request: Request) -> QuerySet[Box]:
    return Box.objects.visible_to(person_of(request)).select_related("account", "parent")


def _own(request: Request, sscc: str) -> Box:
    box = get_object_or_404(_known(request), sscc=sscc)
    if not places_of(person_of(request)).filter(pk=box.account_id).exists():
        raise PermissionDenied
    return box


def _own_store(request: Request, code: str) -> CustodyAccount:
    store = places_of(person_of(request)).filter(code=code).first()
    if store is None:
        raise BadInput(fields={"store": no_such_store(code)})
    return store


def _read(shape: Any, request: Request) -> dict[str, Any]:
    given = shape(data=request.data)
    given.is_valid(raise_exception=True)
    validated: dict[str, Any] = given.validated_data
    return validated


def _answer(request: Request, box: Box, status: int = 200) -> Response:
    return Response(BoxSerializer(_known(request).get(pk=box.pk)).data, status=status)


class Boxes(ListAPIView[Box]):
    """Boxes and pallets you may know, newest first."""

    permission_classes = [granted(Can.SEE_STOCK)]
    serializer_class = BoxSerializer
    queryset = Box.objects.none()

    @extend_schema(parameters=[OpenApiParameter("store", str, description="Code of a store: only what is there.")])
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset()) or []
        context = {"contents": contents_of([box.pk for box in page])}
        return self.get_paginated_response(BoxSerializer(page, many=True, context=context).data)

    def get_queryset(self) -> QuerySet[Box]:
        store = self.request.query_params.get("store")
        found = _known(self.request)
        return found.filter(account__code=store) if store else found

    @extend_schema(operation_id="boxes_begin", request=BeginSerializer, responses={201: BoxSerializer(many=True)})
    @idempotent
    def post(self, request: Request) -> Response:
        """Begin empty boxes or pallets, each with the next SSCC."""
        given = _read(BeginSerializer, request)
        made = services.begin_boxes(
            actor=person_of(request),
            at=timezone.now(),
            account=_own_store(request, given["store"]),
            kind=Box.Kind(given["kind"]),
            count=given["count"],
        )
        return Response(BoxSerializer(made, many=True, context={"contents": {}}).data, status=201)


class OneBox(APIView):
    permission_classes = [granted(Can.SEE_STOCK)]

    @extend_schema(operation_id="boxes_retrieve", responses=BoxSerializer)
    def get(self, request: Request, sscc: str) -> Response:
        """One box or pallet."""
        return Response(BoxSerializer(get_object_or_404(_known(request), sscc=sscc)).data)


class BoxItems(ListAPIView[Packing]):
    """What lies in a box, or in the boxes on a pallet."""

    permission_classes = [granted(Can.SEE_STOCK)]
    serializer_class = PackedSerializer
    queryset = Packing.objects.none()

    def get_queryset(self) -> QuerySet[Packing]:
        box = get_object_or_404(_known(self.request), sscc=self.kwargs["sscc"])
        present = Packing.objects.present().select_related("item__derivative")
        return present.filter(box__parent=box) if box.is_pallet else present.filter(box=box)


class PackBox(APIView):
    permission_classes = [granted(Can.DISPATCH)]

    @extend_schema(operation_id="boxes_pack", request=ItemsSerializer, responses=BoxSerializer)
    @idempotent
    def post(self, request: Request, sscc: str) -> Response:
        """Put items into an open box of the same store."""
        box = _own(request, sscc)
        items = find_items(_read(ItemsSerializer, request)["items"], person=person_of(request))
        services.pack_items(actor=person_of(request), at=timezone.now(), box=box, item_ids=items)
        return _answer(request, box)


class UnpackBox(APIView):
    permission_classes = [granted(Can.DISPATCH)]

    @extend_schema(operation_id="boxes_unpack", request=ItemsSerializer, responses=BoxSerializer)
    @idempotent
    def post(self, request: Request, sscc: str) -> Response:
        """Take items out of an open box."""
        box = _own(request, sscc)
        items = find_items(_read(ItemsSerializer, request)["items"], person=person_of(request))
        services.unpack_items(actor=person_of(request), at=timezone.now(), box=box, item_ids=items)
        return _answer(request, box)


class ScanBox(APIView):
    permission_classes = [granted(Can.DISPATCH)]

    @extend_schema(operation_id="boxes_scan", request=BoxScanSerializer, responses=SaidSerializer)
    @idempotent
    def post(self, request: Request, sscc: str) -> Response:
        """One scan into the box or out of it; a box onto the pallet or off it."""
        box, given = _own(request, sscc), _read(BoxScanSerializer, request)
        take = pack_scan if given["way"] == "in" else take_out_scan
        said = take(person_of(request), box, given["code"], hosts=own_hosts(request), at=timezone.now())
        return Response(SaidSerializer({"verdict": said.tone, "title": said.title, "text": said.text}).data)


class SealBox(APIView):
    permission_classes = [granted(Can.DISPATCH)]

    @extend_schema(operation_id="boxes_seal", request=SealSerializer, responses=BoxSerializer)
    @idempotent
    def post(self, request: Request, sscc: str) -> Response:
        """Close a box with a numbered seal: it moves whole from now on."""
        box, number = _own(request, sscc), _read(SealSerializer, request)["seal"]
        services.seal_box(actor=person_of(request), at=timezone.now(), box=box, seal_number=number)
        return _answer(request, box)


class OpenBox(APIView):
    permission_classes = [granted(Can.DISPATCH)]

    @extend_schema(operation_id="boxes_open", request=OpenSealSerializer, responses=BoxSerializer)
    @idempotent
    def post(self, request: Request, sscc: str) -> Response:
        """Open the seal and say why."""
        box, reason = _own(request, sscc), _read(OpenSealSerializer, request)["reason"]
        services.open_seal(actor=person_of(request), at=timezone.now(), box=box, reason=reason)
        return _answer(request, box)


class Shelves(ListAPIView[Shelf]):
    """Shelves of the stores you may know."""

    permission_classes = [granted(Can.SEE_STOCK)]
    serializer_class = ShelfSerializer
    queryset = Shelf.objects.none()

    @extend_schema(parameters=[OpenApiParameter("store", str, description="Code of a store.")])
    def get(self, request: Request) -> Response:
        return self.list(request)

    def get_queryset(self) -> QuerySet[Shelf]:
        known = Shelf.objects.filter(account__in=CustodyAccount.objects.visible_to(person_of(self.request)))
        store = self.request.query_params.get("store")
        return (known.filter(account__code=store) if store else known).select_related("account")

    @extend_schema(operation_id="shelves_add", request=ShelvesSerializer, responses={201: ShelfSerializer(many=True)})
    @idempotent
    def post(self, request: Request) -> Response:
        """Set up shelves of a store."""
        given = _read(ShelvesSerializer, request)
        made = services.add_shelves(
            actor=person_of(request),
            at=timezone.now(),
            account=_own_store(request, given["store"]),
            codes=given["codes"],
            name=given["name"],
        )
        return Response(ShelfSerializer(made, many=True).data, status=201)


class PlaceOnShelf(APIView):
    permission_classes = [granted(Can.RECEIVE)]

    @extend_schema(operation_id="shelves_place", request=ShelvingSerializer, responses=SaidSerializer)
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Put an item or a box on the shelf."""
        places = places_of(person_of(request))
        shelf = get_object_or_404(Shelf.objects.filter(account__in=places).select_related("account"), pk=pk)
        scan = read_scan(
            _read(ShelvingSerializer, request)["code"], person=person_of(request), own_hosts=own_hosts(request)
        )
        said = place_scan(person_of(request), shelf, scan, at=timezone.now())
        return Response(SaidSerializer({"verdict": said.tone, "title": said.title, "text": said.text}).data)


class ShelfItems(APIView):
    permission_classes = [granted(Can.SEE_STOCK)]

    @extend_schema(operation_id="shelves_content", responses=WhereSerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        """Which item stands on a shelf, and in which box, if in one."""
        known = Shelf.objects.filter(account__in=CustodyAccount.objects.visible_to(person_of(request)))
        shelf = get_object_or_404(known, pk=pk)
        here = whereabouts(items_on_shelves([shelf.pk]))
        rows = [
            {"item": item, "box": place.box.sscc if place.box else None, "shelf": shelf.number}
            for item, place in sorted(here.items())
        ]
        return Response(WhereSerializer(rows, many=True).data)


SSCC = r"(?P<sscc>[0-9]{18})"
urlpatterns = [
    path("boxes/", Boxes.as_view(), name="boxes"),
    re_path(rf"^boxes/{SSCC}/$", OneBox.as_view(), name="box"),
    re_path(rf"^boxes/{SSCC}/items/$", BoxItems.as_view(), name="box-items"),
    re_path(rf"^boxes/{SSCC}/pack/$", PackBox.as_view(), name="box-pack"),
    re_path(rf"^boxes/{SSCC}/unpack/$", UnpackBox.as_view(), name="box-unpack"),
    re_path(rf"^boxes/{SSCC}/scan/$", ScanBox.as_view(), name="box-scan"),
    re_path(rf"^boxes/{SSCC}/seal/$", SealBox.as_view(), name="box-seal"),
    re_path(rf"^boxes/{SSCC}/open/$", OpenBox.as_view(), name="box-open"),
    path("shelves/", Shelves.as_view(), name="shelves"),
    path("shelves/<int:pk>/place/", PlaceOnShelf.as_view(), name="shelf-place"),
    path("shelves/<int:pk>/items/", ShelfItems.as_view(), name="shelf-items"),
]
