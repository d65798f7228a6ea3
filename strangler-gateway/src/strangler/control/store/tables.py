"""The store's tables, as the newest migration leaves them."""

from sqlalchemy import JSON, Boolean, Column, Index, Integer, MetaData, String, Table, Text

LONGEST_AUTHOR = 200
"""Characters; what is longer is cut: a kill from the command line may have come from anybody."""

metadata = MetaData()

state = Table(
    "state",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="always 1: there is one row"),
    Column("revision", Integer, nullable=False, comment="of the newest snapshot; grows by one with every change"),
    Column("topology", String(64), nullable=False, comment="fingerprint of the topology that was adopted last"),
    Column("kill_sequence", Integer, nullable=False, comment="the last kill event that is in the audit"),
)

flags = Table(
    "flags",
    metadata,
    Column("route", String(100), primary_key=True),
    Column("stage", String(20), nullable=False),
    Column("weight", Integer, nullable=False, comment="hundredths of a percent"),
    Column("cohorts", JSON, nullable=False),
    Column("present", Boolean, nullable=False, comment="whether the adopted topology has the route"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", String(40), nullable=False, comment="RFC 3339, UTC"),
    Column("author", String(LONGEST_AUTHOR), nullable=False),
    Column("action", String(20), nullable=False, comment="flip, kill, lift or config"),
    Column("route", String(100), nullable=True),
    Column("before", JSON, nullable=True),
    Column("after", JSON, nullable=True),
    Column("reason", Text, nullable=False),
    Column("revision", Integer, nullable=False, comment="of the snapshot that has the change"),
    Index("audit_by_route", "route", "id"),
    sqlite_autoincrement=True,
)
