"""Flags, revisions and audit in a database: SQLite or PostgreSQL."""

from strangler.control.store.change import AuditRow, Change, ChangeKind, StoredFlag
from strangler.control.store.engine import StoreUnavailable
from strangler.control.store.store import Store, Writing

__all__ = ["AuditRow", "Change", "ChangeKind", "Store", "StoreUnavailable", "StoredFlag", "Writing"]
