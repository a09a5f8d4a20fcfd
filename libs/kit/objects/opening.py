"""Opens the bucket that settings name; without one, nothing of this is ever imported."""

from libs.kit.objects.bucket import Bucket
from libs.kit.settings import ObjectSettings


def bucket_of(settings: ObjectSettings) -> Bucket | None:
    """The bucket, or None where none is set. Nothing is asked of it yet."""
    if settings.bucket is None:
        return None
    from libs.kit.objects.s3 import S3Bucket  # noqa: PLC0415  costs 0.3 s and 30 MB

    return S3Bucket(settings)
