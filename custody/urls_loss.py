"""Loss, theft, write-off, destruction."""

from django.urls import path, re_path

from custody.views import destructions, losses

urlpatterns = [
    path("losses/", losses.losses, name="losses"),
    path("losses/new/", losses.report_loss, name="report-loss"),
    path("losses/<int:pk>/", losses.loss, name="loss"),
    path("losses/<int:pk>/police/", losses.note_police, name="loss-police"),
    path("losses/<int:pk>/recovery/", losses.propose, {"kind": "recovery"}, name="propose-recovery"),
    path("losses/<int:pk>/write-off/", losses.propose, {"kind": "write_off"}, name="propose-write-off"),
    path("losses/<int:pk>/acts/<int:act>/", losses.decide, name="decide-loss-act"),
    path("losses/<int:pk>/acts/<int:act>/refuse/", losses.refuse, name="refuse-loss-act"),
    re_path(r"^losses/(?P<pk>\d+)/acts/(?P<act>\d+)/(?P<language>kk|ru)\.pdf$", losses.paper, name="loss-paper"),
    path("destructions/", destructions.destructions, name="destructions"),
    path("destructions/new/", destructions.order, name="order-destruction"),
    path("destructions/<int:pk>/", destructions.destruction, name="destruction"),
    path("destructions/<int:pk>/goods/", destructions.add_goods, name="destruction-goods"),
    path("destructions/<int:pk>/commission/", destructions.seat, name="destruction-commission"),
    path("destructions/<int:pk>/commission/<int:member>/leave/", destructions.unseat, name="destruction-leave"),
    path("destructions/<int:pk>/scan/", destructions.scan, name="destruction-scan"),
    path("destructions/<int:pk>/weigh/", destructions.weigh, name="destruction-weigh"),
    path("destructions/<int:pk>/basis/", destructions.basis, name="destruction-basis"),
    path("destructions/<int:pk>/scan/undo/", destructions.undo, name="destruction-undo"),
    path("destructions/<int:pk>/close/", destructions.close, name="destruction-close"),
    path("destructions/<int:pk>/open/", destructions.open_again, name="destruction-open"),
    path("destructions/<int:pk>/sign/<int:member>/", destructions.sign, name="destruction-sign"),
    path("destructions/<int:pk>/execute/", destructions.execute, name="destruction-execute"),
    path("destructions/<int:pk>/cancel/", destructions.cancel, name="destruction-cancel"),
    re_path(
        r"^destructions/(?P<pk>\d+)/act-(?P<language>kk|ru|en)\.pdf$", destructions.paper, name="destruction-paper"
    ),
]
