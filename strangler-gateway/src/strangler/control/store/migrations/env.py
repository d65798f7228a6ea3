"""Alembic's entry: runs migrations on the connection that ``strangler.control.store.schema`` hands over."""

from alembic import context

from strangler.control.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
