from importlib import import_module

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy


class MarkingConfig(AppConfig):
    name = "marking"

    def ready(self) -> None:
        from core.accounts.subjects import register_subject
        from core.audit.services import register_facts, register_verbs
        from core.notices.services import register_advice, register_notice_codes
        from marking.models import (
            Carrier,
            CopyAlert,
            FieldDevice,
            FieldRecord,
            LabelDestruction,
            LabelReel,
            LabelRun,
            LabelSeries,
            LabelShipment,
            Mark,
            MarkRequest,
            OwnStock,
            Printer,
            Tip,
        )
        from marking.phone_sessions import on_sign_in

        import_module("marking.tasks")
        user_logged_in.connect(on_sign_in, dispatch_uid="marking.phone_sessions")
        register_subject(
            "mark",
            label=_("Mark"),
            url_name="reports:item",
            known_to=lambda user: Mark.objects.visible_to(user),
            page_key="derivative_id",
        )
        register_subject(
            "label_run",
            label=_("Label run"),
            url_name="marking:label-run",
            known_to=lambda user: LabelRun.objects.visible_to(user),
        )
        register_subject(
            "printer",
            label=_("Printer"),
            url_name="marking:printer",
            known_to=lambda user: Printer.objects.visible_to(user),
        )
        register_subject(
            "label_stock",
            label=_("Size of labels"),
            url_name="marking:size",
            known_to=lambda user: OwnStock.objects.in_use().visible_to(user),
        )
        register_subject(
            "label_series",
            url_name="marking:label-series",
            label=_("Series of labels"),
            known_to=lambda user: LabelSeries.objects.visible_to(user),
            everything=lambda: LabelSeries.objects.all(),
            prefix="LS",
            digits=4,
        )
        register_subject(
            "label_reel",
            url_name="marking:label-reel",
            label=_("Reel of labels"),
            known_to=lambda user: LabelReel.objects.visible_to(user),
        )
        register_subject(
            "label_shipment",
            url_name="marking:label-shipment",
            label=_("Hand-over of labels"),
            known_to=lambda user: LabelShipment.objects.visible_to(user),
            everything=lambda: LabelShipment.objects.all(),
            prefix="LH",
        )
        register_subject(
            "label_destruction",
            url_name="marking:label-destruction",
            label=_("Destruction of labels"),
            known_to=lambda user: LabelDestruction.objects.visible_to(user),
            everything=lambda: LabelDestruction.objects.all(),
            prefix="LD",
        )
        register_subject(
            "mark_request",
            label=_("Request for a mark"),
            url_name="marking:mark-request",
            known_to=lambda user: MarkRequest.objects.visible_to(user),
        )
        register_notice_codes(
            {
                "labels.missing": ngettext_lazy(
                    "%(number)s: %(count)s label did not arrive. %(places)s",
                    "%(number)s: %(count)s labels did not arrive. %(places)s",
                    "count",
                ),
                "labels.lost": ngettext_lazy(
                    "%(count)s label of reel %(reel)s is reported lost. %(reason)s",
                    "%(count)s labels of reel %(reel)s are reported lost. %(reason)s",
                    "count",
                ),
                "labels.refused": _(
                    "Somebody tried to bind label %(label)s of reel %(reel)s, which must not be used any more"
                ),
                "labels.do_not_add_up": _(
                    "The labels of reel %(reel)s do not add up: %(ledger)s unused by the ledger, %(marks)s by the marks"
                ),
            },
            decides="authority",
        )
        register_notice_codes(
            {
                "labels.foreign": _("Labels of your office were bound by another office: %(count)s of reel %(reel)s"),
                "labels.late": _("%(number)s: labels did not arrive by their day."),
                "labels.late_back": _(
                    "%(number)s: labels that were turned back did not come by their day to the office that sent them."
                ),
                "labels.destruction_waits": ngettext_lazy(
                    "%(number)s: destroying %(count)s label waits for a second person",
                    "%(number)s: destroying %(count)s labels waits for a second person",
                    "count",
                ),
                "marks.request_waits": _("A request for the mark of %(what)s waits for a second person. %(reason)s"),
            }
        )
        register_notice_codes(
            {
                "labels.reprint_ordered": ngettext_lazy(
                    "%(store)s: %(count)s label hangs under a compromised key. The authority has it printed anew",
                    "%(store)s: %(count)s labels hang under a compromised key. The authority has them printed anew",
                    "count",
                ),
            },
            decides="authority",
        )
        register_subject(
            "field_device",
            label=_("Phone of the field notebook"),
            known_to=lambda user: FieldDevice.objects.visible_to(user),
        )
        register_subject(
            "field_record",
            label=_("Record of the field notebook"),
            url_name="marking:field-record",
            known_to=lambda user: FieldRecord.objects.visible_to(user),
            add=lambda user, key: True,
        )
        register_notice_codes(
            {
                "field_record.conflict": _(
                    "From the field: record %(sequence)s of the phone %(phone)s was not entered. Its page says why"
                )
            }
        )
        register_verbs(
            {
                "field_device.registered": _("Phone registered for the field notebook"),
                "field_device.revoked": _("Phone of the field notebook revoked"),
                "field_record.kept": _("Record of the field notebook kept, not entered"),
                "field_record.entered": _("Record of the field notebook entered at the office"),
                "field_record.set_aside": _("Record of the field notebook set aside"),
            }
        )
        register_subject(
            "tip",
            label=_("What somebody told of a label"),
            url_name="marking:read-tip",
            known_to=lambda user: Tip.objects.visible_to(user),
        )
        register_subject("check", label=_("Checks of marks"))
        register_subject("carrier", label=_("Carrier"), known_to=lambda user: Carrier.objects.visible_to(user))
        register_notice_codes(
            {
                "carrier.on_another_item": _(
                    "%(carrier)s was scanned at item %(item)s, but it is bound to item %(other)s"
                ),
                "carrier.is_our_own": _(
                    "%(carrier)s was given as the seal of item %(item)s, but it is a mark or number of the registry"
                    " itself: %(other)s"
                ),
                "carrier.item_has_another": _("%(carrier)s was scanned at item %(item)s, to which %(known)s is bound"),
                "carrier.other_check_value": _(
                    "%(carrier)s was scanned at its item %(item)s with another check value than the one bound"
                ),
                "carrier.foreign_gtin": _(
                    "%(carrier)s was scanned at item %(item)s. Its GTIN is not under our company prefix %(known)s, and"
                    " no rule in force names another one for this kind."
                ),
                "carrier.wrong_gtin": _(
                    "%(carrier)s was scanned at item %(item)s, but the GTIN of its kind is %(known)s"
                ),
                "carrier.file_contradicts": _("File %(file)s contradicts what is bound to items, in rows: %(count)s"),
            },
            decides="authority",
        )
        register_notice_codes(
            {"carrier.end_waits": _("Taking %(carrier)s off item %(item)s waits for a second person. %(reason)s")}
        )
        register_notice_codes(
            {
                "tip.taken": _("Somebody tells what is wrong with a label: %(code_read)s"),
                "tip.many": _(
                    "So much was told of labels on %(day)s that no more of it is announced one by one. Read the list."
                ),
                "check.unknown": _(
                    "Codes that were never issued were checked %(count)s times within %(minutes)s minutes, up to"
                    " %(ended)s. Somebody may be trying codes out."
                ),
                "check.computed": _(
                    "Somebody tries out codes computed from what phones know of the marks. Checked up to %(ended)s:"
                    " %(labels)s. Such codes: %(count)s"
                ),
                "check.refused": _(
                    "Questions that came too often were refused %(count)s times within %(minutes)s minutes, up to"
                    " %(ended)s. Visitors in ten minutes: up to %(visitors)s"
                ),
                "check.forged": _(
                    "Forged symbols were checked %(count)s times within %(days)s days, up to %(ended)s. They name"
                    " %(labels)s. Where: %(places)s"
                ),
            }
        )
        register_subject(
            "copy",
            label=_("Copy of a label"),
            url_name="marking:copy",
            known_to=lambda user: CopyAlert.objects.visible_to(user),
        )
        register_notice_codes(
            {
                "copy.far": _(
                    "%(labels)s was seen at %(place)s on %(began)s and at %(target)s on %(ended)s: %(km)s km apart"
                    " within %(minutes)s minutes."
                ),
                "copy.gone": _(
                    "%(labels)s was seen on %(ended)s, but its item left the register for good on %(day)s."
                    " Such checks: %(count)s"
                ),
                "copy.blank": _(
                    "%(labels)s was seen on %(ended)s, but was not on any item. Such public checks: %(count)s"
                ),
                "copy.burst": _("%(labels)s was checked %(count)s times within %(minutes)s minutes, up to %(ended)s."),
                "copy.many": _(
                    "%(labels)s was checked by the public %(count)s times within %(days)s days, up to %(ended)s."
                ),
                "copy.store": _(
                    "%(labels)s was seen on %(ended)s in another region than store %(store)s, which holds its item."
                    " Such checks: %(count)s"
                ),
                "copy.abroad": _(
                    "%(labels)s was seen outside the country on %(ended)s, but its item is inside it, at %(store)s."
                    " Such checks: %(count)s"
                ),
                "copy.old_print": _(
                    "The label of %(labels)s that was replaced on %(day)s was seen on %(ended)s. Such checks: %(count)s"
                ),
                "copy.flood": _(
                    "More than %(count)s labels were found by one rule within a day, up to %(ended)s, first"
                    " %(labels)s. Somebody may be making the checks up: whoever checks them is not told."
                ),
            },
            copied=True,
        )
        register_advice(
            (
                _(
                    "Look at the item and the label, and say what is there; the authority decides which"
                    " of the two stands."
                ),
                (
                    "carrier.foreign_gtin",
                    "carrier.is_our_own",
                    "carrier.item_has_another",
                    "carrier.on_another_item",
                    "carrier.other_check_value",
                    "carrier.wrong_gtin",
                ),
            ),
            (
                _(
                    "Look at the checks and the map, find the item and compare its label; the authority"
                    " decides whether there is a copy."
                ),
                (
                    "copy.abroad",
                    "copy.blank",
                    "copy.burst",
                    "copy.far",
                    "copy.flood",
                    "copy.gone",
                    "copy.many",
                    "copy.old_print",
                    "copy.store",
                ),
            ),
            (
                _("Compare these rows with the items, and send the file again when it is right."),
                ("carrier.file_contradicts",),
            ),
            (
                _("Another person than the one who asked opens it, and approves or refuses."),
                ("carrier.end_waits", "labels.destruction_waits", "marks.request_waits"),
            ),
            (_("Open the record: enter it at the office, or set it aside and say why."), ("field_record.conflict",)),
            (
                _(
                    "Look for them; the sender explains, the authority decides. Every check refuses"
                    " these labels meanwhile."
                ),
                ("labels.missing",),
            ),
            (
                _("Ask the other side where they are: count and receive them, or turn them back."),
                ("labels.late", "labels.late_back"),
            ),
            (_("Say how they were lost. Those that turn up are destroyed, never used."), ("labels.lost",)),
            (_("Find the label and who has it, take it away, and say what you found."), ("labels.refused",)),
            (
                _("Count the labels of the reel, and have the administrator check the ledger of labels."),
                ("labels.do_not_add_up",),
            ),
            (_("Ask that office how it came by your labels, and write the answer."), ("labels.foreign",)),
            (_("Read it, look at the item, and write what was found."), ("tip.taken",)),
            (_("Read the list of what was told, and decide what is worth following."), ("tip.many",)),
            (
                _("Ask whoever runs the servers from which network it comes, and have that network stopped."),
                ("check.unknown", "check.computed", "check.refused"),
            ),
            (_("Have the inspection look for labels of this kind where they were seen."), ("check.forged",)),
            (
                _("Ask for a reprint of what stands under “Labels to print anew”, and hang the new labels."),
                ("labels.reprint_ordered",),
            ),
        )
        register_verbs(
            {
                "once_codes.made": _("Hidden codes made"),
                "once_code.used": _("Hidden code used"),
                "once_codes.read": _("Hidden codes read for printing"),
            }
        )
        register_facts(
            {
                "label": (_("Label"), str),
                "reel": (_("Reel of labels"), str),
                "second_person": (_("Second person"), str),
            }
        )
        register_verbs(
            {
                "label_series.ordered": _("Blank labels ordered"),
                "label_series.cancelled": _("Order of blank labels cancelled"),
                "label_series.making": _("Drawing of the codes of blank labels begun"),
                "label_series.made": _("Codes of blank labels drawn"),
                "labels.file_taken": _("File of labels taken"),
                "labels.declared_printed": _("Labels declared printed"),
                "labels.reprint_ordered": _("Reprint of labels ordered by the authority"),
                "labels.signed_anew": _("Labels signed anew with the key in use"),
                "labels.out_of_printer": _("Reel of labels printed"),
                "labels.sent": _("Labels sent"),
                "labels.received": _("Labels received"),
                "labels.turned_back": _("Labels turned back"),
                "labels.applied": _("Blank labels bound to items"),
                "label.bound": _("Blank label bound"),
                "labels.spoiled": _("Labels declared spoiled"),
                "labels.lost": _("Labels reported lost"),
                "labels.destruction_asked": _("Destruction of labels asked for"),
                "labels.destroyed": _("Labels destroyed"),
                "labels.destruction_refused": _("Destruction of labels refused"),
                "row.label_named": _("Blank labels named in the weighing table"),
                "mark.request_asked": _("Act on a mark asked for"),
                "mark.request_refused": _("Act on a mark refused"),
                "mark.reprinted": _("Label printed again, former print invalid"),
                "mark.voided": _("Mark declared void"),
                "mark.replaced": _("Mark replaced by a new one"),
                "carrier.bound": _("State code, seal or chip bound to an item"),
                "carrier.end_asked": _("Taking a state code, seal or chip off an item asked for"),
                "carrier.ended": _("State code, seal or chip taken off an item"),
                "carrier.end_refused": _("Taking a state code, seal or chip off an item refused"),
                "key.created": _("Signing key made"),
                "key.taken_into_use": _("Signing key taken into use"),
                "key.retired": _("Signing key retired"),
                "key.compromised": _("Signing key declared compromised"),
                "key.act_asked": _("Act on a signing key asked for"),
                "key.act_approved": _("Act on a signing key approved"),
                "key.act_refused": _("Act on a signing key refused"),
                "marks.issued": _("Marks issued"),
                "tip.taken": _("Told by the public"),
                "tip.contact_seen": _("Contact of a sender seen"),
                "tip.sender_forgotten": _("Contact and photo of a sender forgotten"),
                "snapshot.made": _("Snapshot for phones made"),
                "labels.ordered": _("Labels ordered"),
                "labels.printed": _("Labels ready to print"),
                "stock.described": _("Size of labels entered"),
                "stock.ended": _("Size of labels put away"),
                "printer.added": _("Printer entered"),
                "printer.changed": _("Printer changed"),
                "printer.calibrated": _("Printer calibrated"),
                "printer.ended": _("Printer put away"),
            }
        )
