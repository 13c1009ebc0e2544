from django.urls import path

from marking.views import check, labels, printing, register, snapshots, tips

app_name = "marking"
urlpatterns = [
    path("intakes/<int:pk>/register/", register.register, name="register"),
    path("intakes/<int:pk>/labels/", labels.intake_labels, name="intake-labels"),
    path("intakes/<int:pk>/labels/preview/", labels.label_preview, name="label-preview"),
    path("labels/", labels.label_runs, name="label-runs"),
    path("labels/printers/", printing.printers, name="printers"),
    path("labels/printers/new/", printing.printer_add, name="printer-add"),
    path("labels/printers/<int:pk>/", printing.printer, name="printer"),
    path("labels/printers/<int:pk>/change/", printing.printer_change, name="printer-change"),
    path("labels/printers/<int:pk>/calibration/", printing.calibration, name="calibration"),
    path("labels/printers/<int:pk>/measured/", printing.printer_calibrate, name="printer-calibrate"),
    path("labels/printers/<int:pk>/end/", printing.printer_end, name="printer-end"),
    path("labels/sizes/", printing.sizes, name="sizes"),
    path("labels/sizes/new/", printing.size_edit, name="size-add"),
    path("labels/sizes/preview/", printing.size_preview, name="size-preview"),
    path("labels/sizes/<int:pk>/", printing.size_edit, name="size"),
    path("labels/sizes/<int:pk>/end/", printing.size_end, name="size-end"),
    path("labels/<int:pk>/", labels.label_run, name="label-run"),
    path("labels/<int:pk>/file/", labels.label_file, name="label-file"),
    path("m/", check.check_form, name="check-form"),
    path("m/keys.json", check.public_keys, name="public-keys"),
    path("m/tip/", tips.tip, name="tip"),
    path("m/tip/taken/", tips.tip_taken, name="tip-taken"),
    path("tips/", tips.tips, name="tips"),
    path("tips/<uuid:pk>/", tips.read_tip, name="read-tip"),
    path("tips/<uuid:pk>/photo/", tips.tip_photo, name="tip-photo"),
    path("m/snapshot.json", snapshots.snapshot_index, name="snapshot-index"),
    path("m/snapshot.bin", snapshots.snapshot, name="snapshot"),
    path("m/snapshot/<int:edition>.bin", snapshots.snapshot_changes, name="snapshot-changes"),
    path("m/<path:text>", check.check, name="check"),
    # As printed: the symbol's alphabet has no small letters.
    path("M/", check.check_form),
    path("M/<path:text>", check.check),
]
