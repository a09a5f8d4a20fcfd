"""Databases as plain functions: a transaction is a synchronous function that gets a `tx`."""

from libs.kit.db.database import Database, reads, writes
from libs.kit.db.leases import Lease, LeaseLost
from libs.kit.db.prepared import Prepared
from libs.kit.db.tables import UTCDateTime, mechanism_tables
from libs.kit.db.transaction import Delivery, Doorbell, DuplicateEvent, Transaction, delivering

__all__ = [
    "Database",
    "Delivery",
    "Doorbell",
    "DuplicateEvent",
    "Lease",
    "LeaseLost",
    "Prepared",
    "Transaction",
    "UTCDateTime",
    "delivering",
    "mechanism_tables",
    "reads",
    "writes",
]
