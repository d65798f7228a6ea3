"""The two tables that the service uses. The shop owns them and creates them: nothing here ever does.

Types are declared only as far as queries need them. Collations are the columns' own (`C` on PostgreSQL), so that text
sorts by code points on both databases.
"""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, MetaData, String, Table, Text

from catalog_service.times import Instant

metadata = MetaData()

categories = Table(
    "catalog_categories",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("name", String(100), nullable=False),
    Column("name_key", String(400), nullable=False),
    Column("slug", String(64), nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

products = Table(
    "catalog_products",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("sku", String(64), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("description", Text, nullable=False),
    Column("name_key", Text, nullable=False),
    Column("search_text", Text, nullable=False),
    Column("category_id", BigInteger, ForeignKey("catalog_categories.id")),
    Column("price_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
)
