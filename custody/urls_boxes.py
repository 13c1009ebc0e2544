"""Pages of boxes, pallets and shelves."""

from django.urls import path, re_path

from custody.views import boxes, shelves

urlpatterns = [
    path("boxes/", boxes.boxes, name="boxes"),
    path("boxes/new/", boxes.begin, name="begin-boxes"),
    path("boxes/labels.pdf", boxes.labels, name="box-labels"),
    re_path(r"^boxes/(?P<sscc>[0-9]{18})/$", boxes.box, name="box"),
    re_path(r"^boxes/(?P<sscc>[0-9]{18})/scan/$", boxes.scan, name="box-scan"),
    re_path(r"^boxes/(?P<sscc>[0-9]{18})/unpack/$", boxes.unpack, name="unpack"),
    re_path(r"^boxes/(?P<sscc>[0-9]{18})/seal/$", boxes.seal, name="seal-box"),
    re_path(r"^boxes/(?P<sscc>[0-9]{18})/open/$", boxes.open_seal, name="open-seal"),
    re_path(r"^boxes/(?P<sscc>[0-9]{18})/label\.pdf$", boxes.label, name="box-label"),
    path("stores/<int:pk>/shelves/", shelves.shelves, name="shelves"),
    path("stores/<int:pk>/shelves/labels.pdf", shelves.shelf_labels, name="shelf-labels"),
    path("shelves/<int:pk>/", shelves.shelf, name="shelf"),
]
