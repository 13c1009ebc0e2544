"""A notice of a phone's record names the record; it quoted a sentence in the language of the phone."""

from django.db import migrations

NAME_THE_RECORD = """
UPDATE notices_notice AS told SET params = jsonb_build_object('sequence', kept.sequence, 'phone', phone.name)
FROM marking_fieldrecord AS kept JOIN marking_fielddevice AS phone ON phone.id = kept.device_id
WHERE told.code = 'field_record.conflict' AND told.subject_kind = 'field_record' AND told.subject_id = kept.id::text
"""


class Migration(migrations.Migration):
    dependencies = [
        ("marking", "0032_item_is_marked_anew_by_two"),
        ("notices", "0006_the_clock_settles_two_codes"),
    ]

    operations = [migrations.RunSQL(NAME_THE_RECORD, migrations.RunSQL.noop)]
