"""Runs migrations on the connection that `tradeloom.store.migrate` hands over."""

from __future__ import annotations

from alembic import context

from tradeloom.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    # The whole upgrade is one transaction, and it is the caller's.
    transactional_ddl=True,
)
context.run_migrations()
