from django.urls import path, re_path

from registry.views import cases, importing, intakes, photos, seasons, table

app_name = "registry"
urlpatterns = [
    path("intakes/", intakes.intakes, name="intakes"),
    path("intakes/open/removal/", intakes.open_removal, name="open-removal"),
    path("intakes/open/seizure/", intakes.open_seizure, name="open-seizure"),
    re_path(r"^intakes/sample\.(?P<fmt>csv|xlsx)$", importing.import_sample, name="import-sample"),
    path("intakes/<int:pk>/", intakes.intake, name="intake"),
    path("intakes/<int:pk>/correct/", intakes.correct, name="intake-correct"),
    path("intakes/<int:pk>/cancel/", intakes.cancel, name="intake-cancel"),
    path("intakes/<int:pk>/rows/", table.intake_rows, name="intake-rows"),
    path("intakes/<int:pk>/rows/<int:row>/photo/", table.row_photo, name="row-photo"),
    path("intakes/<int:pk>/import/", importing.intake_import, name="intake-import"),
    path("intakes/<int:pk>/sheets/<int:sheet>/", importing.intake_sheet, name="intake-sheet"),
    path("cases/", cases.cases, name="cases"),
    path("cases/new/", cases.open_case, name="open-case"),
    path("cases/<int:pk>/", cases.case, name="case"),
    path("cases/<int:pk>/facts/", cases.case_facts, name="case-facts"),
    path("cases/<int:pk>/counts/", cases.case_counts, name="case-counts"),
    path("cases/<int:pk>/persons/", cases.case_persons, name="case-persons"),
    path("cases/<int:pk>/expertise/", cases.ask_expertise, name="ask-expertise"),
    path("cases/<int:pk>/expertise/<int:expertise>/", cases.receive_expertise, name="receive-expertise"),
    path("cases/<int:pk>/decision/", cases.record_decision, name="record-decision"),
    path("cases/<int:pk>/decision/<int:decision>/", cases.confirm_decision, name="confirm-decision"),
    path("cases/<int:pk>/decision/<int:decision>/withdraw/", cases.withdraw_decision, name="withdraw-decision"),
    re_path(
        r"^cases/(?P<pk>\d+)/(?P<kind>expertise|decision)/(?P<paper>\d+)/paper/$", cases.case_paper, name="case-paper"
    ),
    path("seasons/", seasons.seasons, name="seasons"),
    path("seasons/new/", seasons.open_season, name="open-season"),
    path("seasons/<int:pk>/", seasons.season, name="season"),
    path("seasons/<int:pk>/permits/new/", seasons.enter_removal_permit, name="enter-removal-permit"),
    path("seasons/<int:pk>/brigades/new/", seasons.enter_brigade, name="enter-brigade"),
    path("photos/<uuid:pk>/", photos.photo, name="photo"),
]
