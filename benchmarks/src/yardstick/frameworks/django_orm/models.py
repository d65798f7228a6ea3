"""The catalog's two tables, which the shop creates and these models describe."""

from datetime import UTC, datetime
from typing import Any

from django.db import models

from shop.kernel.text import fold


class Instant(models.DateTimeField):
    """A time that SQLite keeps with its six decimals, also where they are zero: texts must sort as times do."""

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:  # noqa: FBT001, FBT002
        stored = super().get_db_prep_value(value, connection, prepared)
        return f"{stored}.000000" if isinstance(stored, str) and "." not in stored else stored


class Versioned(models.Model):
    """What grows by one version with each change."""

    version = models.IntegerField(default=1)
    created_at = Instant()
    updated_at = Instant()

    class Meta:
        abstract = True

    def change(self, values: dict[str, Any]) -> bool:
        """Set what differs; a new version only when something does."""
        changed = {name: value for name, value in values.items() if getattr(self, name) != value}
        for name, value in changed.items():
            setattr(self, name, value)
        if changed:
            self.version += 1
            self.updated_at = datetime.now(UTC)
        return bool(changed)


class Category(Versioned):
    name = models.CharField(max_length=100)
    name_key = models.CharField(max_length=400)
    slug = models.CharField(max_length=64, unique=True)

    class Meta:
        managed = False
        db_table = "catalog_categories"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.name_key = fold(self.name)
        super().save(*args, **kwargs)


class Product(Versioned):
    sku = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=200)
    description = models.TextField()
    name_key = models.TextField()
    search_text = models.TextField()
    category = models.ForeignKey(Category, models.PROTECT, null=True, related_name="products")
    price_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    active = models.BooleanField()

    class Meta:
        managed = False
        db_table = "catalog_products"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.name_key = fold(self.name)
        self.search_text = "\n".join(fold(part) for part in (self.name, self.description, self.sku))
        super().save(*args, **kwargs)
