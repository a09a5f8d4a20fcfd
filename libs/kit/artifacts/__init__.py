"""Files by their content: a store, what is on its way into it, and tickets to it.

A file is known by the SHA-256 of its bytes and by nothing else; names that people gave stay in
databases. Everything here blocks and belongs into threads.
"""

from libs.kit.artifacts.aside import aside
from libs.kit.artifacts.drafts import Draft, DraftBusy, Drafts, WrongOffset
from libs.kit.artifacts.remote import BucketStore, store_of
from libs.kit.artifacts.store import (
    Blob,
    BlobMissing,
    ContentComing,
    ContentDamaged,
    DiskStore,
    Store,
)
from libs.kit.artifacts.tickets import FileTickets, Ticket

__all__ = [
    "Blob",
    "BlobMissing",
    "BucketStore",
    "ContentComing",
    "ContentDamaged",
    "DiskStore",
    "Draft",
    "DraftBusy",
    "Drafts",
    "FileTickets",
    "Store",
    "Ticket",
    "WrongOffset",
    "aside",
    "store_of",
]
