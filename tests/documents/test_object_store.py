"""Documents in an object store: the same bytes, thumbnails and checks as on a disk; nothing is public."""

from collections.abc import Iterator
from datetime import datetime
from io import StringIO
from typing import Any

import boto3
import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.test import override_settings
from moto import mock_aws

from core.accounts.models import User
from core.documents.files import serve, serve_thumbnail, thumbnail
from core.documents.models import Document
from core.documents.services import keep_document
from tests.documents.test_documents import picture

pytestmark = pytest.mark.django_db

BUCKET = "saiga-documents"


@pytest.fixture
def store(settings: Any) -> Iterator[Any]:
    """An S3 store of this process alone, and the settings that S3_BUCKET gives."""
    options = {"bucket_name": BUCKET, "region_name": "us-east-1", "access_key": "a", "secret_key": "b"}
    wanted = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options | {"default_acl": None}}
    with mock_aws(), override_settings(STORAGES=settings.STORAGES | {"default": wanted}):
        client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
        client.create_bucket(Bucket=BUCKET)
        yield client


def keep(actor: User, at: datetime) -> Document:
    return keep_document(actor=actor, at=at, kind=Document.Kind.PHOTO, name="1.jpg", content=picture(place=True))


def test_it_is_kept_and_handed_out_byte_for_byte(store: Any, inspector: User, now: datetime) -> None:
    document = keep(inspector, now)

    kept = store.get_object(Bucket=BUCKET, Key=document.file.name)["Body"].read()
    answer = serve(Document.objects.get())

    assert kept == picture(place=True) == b"".join(answer.streaming_content)  # type: ignore[arg-type]
    assert answer["Content-Length"] == str(len(kept))


def test_a_thumbnail_is_made_once_in_the_store(store: Any, inspector: User, now: datetime) -> None:
    document = keep(inspector, now)

    name = thumbnail(document)
    made = store.head_object(Bucket=BUCKET, Key=name)["LastModified"]

    assert thumbnail(document) == name
    assert store.head_object(Bucket=BUCKET, Key=name)["LastModified"] == made
    assert b"".join(serve_thumbnail(document).streaming_content)[:3] == b"\xff\xd8\xff"  # type: ignore[arg-type]
    assert len(store.list_objects_v2(Bucket=BUCKET)["Contents"]) == 2


def test_altered_and_missing_objects_are_found(store: Any, inspector: User, now: datetime) -> None:
    document = keep(inspector, now)
    call_command("check_documents", stdout=StringIO())

    default_storage.delete(str(document.file.name))
    store.put_object(Bucket=BUCKET, Key="ab/cd/nobody", Body=b"x")

    said = StringIO()
    with pytest.raises(CommandError):
        call_command("check_documents", stdout=said, stderr=StringIO())
    assert "ab/cd/nobody" in said.getvalue()
