from django.urls import path, re_path

from permits.views import applications, deciding, handovers, loading, receiving

app_name = "permits"
urlpatterns = [
    path("handovers/", handovers.handovers, name="handovers"),
    path("handovers/new/", loading.dispatch, name="dispatch"),
    path("handovers/new/<int:pk>/scan/", loading.scan_loading, name="loading-scan"),
    path("handovers/new/<int:pk>/load/", loading.load, name="loading-load"),
    path("handovers/new/<int:pk>/unload/", loading.unload, name="loading-unload"),
    path("handovers/new/<int:pk>/choose/", loading.choose_for_loading, name="loading-choose"),
    path("handovers/new/<int:pk>/dispatch/", loading.dispatch_list, name="loading-dispatch"),
    path("handovers/<int:pk>/", handovers.handover, name="handover"),
    path("handovers/<int:pk>/waybill/", handovers.waybill, name="waybill"),
    path("handovers/<int:pk>/return/", handovers.take_back, name="take-back"),
    path("handovers/<int:pk>/receive/", receiving.receive, name="receive"),
    path("handovers/<int:pk>/receive/undo/", receiving.undo_scan, name="undo-scan"),
    path("handovers/<int:pk>/boxes/<int:box>/open/", receiving.open_box, name="open-arrived-box"),
    path("handovers/<int:pk>/weigh/", receiving.weigh, name="weigh-goods"),
    path("handovers/<int:pk>/papers/<slug:kind>.<slug:language>.pdf", handovers.paper, name="paper"),
    path("handovers/<int:pk>/accept/", receiving.accept, name="accept"),
    path("applications/", applications.applications, name="applications"),
    path("applications/new/<slug:kind>/", applications.apply, name="apply"),
    path("applications/<int:pk>/", applications.application, name="application"),
    path("applications/<int:pk>/edit/", applications.edit, name="application-edit"),
    path("applications/<int:pk>/items/scan/", applications.scan_item, name="application-scan"),
    path("applications/<int:pk>/items/add/", applications.add_items, name="application-add"),
    path("applications/<int:pk>/items/remove/", applications.remove_items, name="application-remove"),
    path("applications/<int:pk>/items/choose/", applications.choose_items, name="application-choose"),
    path("applications/<int:pk>/check/", applications.check, name="application-check"),
    path("applications/<int:pk>/withdraw/", applications.withdraw, name="withdraw"),
    path("applications/<int:pk>/take-up/", deciding.take_up, name="take-up"),
    re_path(r"^applications/(?P<pk>\d+)/(?P<act>approve|refuse|return)/$", deciding.decide, name="decide"),
    path("permits/", deciding.permits, name="permits"),
    path("permits/<int:pk>/", deciding.permit, name="permit"),
    path("permits/<int:pk>/revoke/", deciding.revoke, name="revoke"),
]
