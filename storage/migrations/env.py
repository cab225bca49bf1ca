"""Run by Alembic for each command. The connection and the tables are handed over by `storage.migrate`; nothing is configured."""

from typing import Any, Literal

from alembic import context

from storage.columns import Instant


def _render(kind: str, item: Any, _autogenerate: Any) -> str | Literal[False]:
    """Write what the database sees: a revision must keep its meaning when our own types change."""
    if kind == "type" and isinstance(item, Instant):
        return "sa.BigInteger()"
    return False


_given = context.config.attributes
context.configure(
    connection=_given["connection"],
    target_metadata=_given["metadata"],
    compare_type=True,
    compare_server_default=True,
    render_as_batch=_given.get("batch", True),  # SQLite changes a table by copying it
    render_item=_render,
)
with context.begin_transaction():
    context.run_migrations()
