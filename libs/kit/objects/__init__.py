"""Files in an object store that speaks S3: named by us, verified by hash, with a bounded copy here.

Everything here blocks and belongs into threads. The store is the operator's own, like the
database: its address comes from settings alone, and may be private.
"""

from libs.kit.objects.bucket import (
    Bucket,
    ObjectDamaged,
    ObjectMissing,
    StoredObject,
    StoreUnavailable,
)
from libs.kit.objects.fetches import Fetch
from libs.kit.objects.folder import ShelvedFolder
from libs.kit.objects.opening import bucket_of
from libs.kit.objects.shelf import Shelf

__all__ = [
    "Bucket",
    "Fetch",
    "ObjectDamaged",
    "ObjectMissing",
    "Shelf",
    "ShelvedFolder",
    "StoreUnavailable",
    "StoredObject",
    "bucket_of",
]
