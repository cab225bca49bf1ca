"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go from the revision before to this one."""
    op.create_table(
        "vault_rows",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.Column("row", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "id", name=op.f("pk_vault_rows")),
    )
    op.create_index(op.f("ix_vault_rows_owner"), "vault_rows", ["owner"], unique=False)
    op.create_table(
        "vault_sessions",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.Column("row", sa.LargeBinary(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vault_sessions")),
    )
    op.create_index(op.f("ix_vault_sessions_owner"), "vault_sessions", ["owner"], unique=False)


def downgrade() -> None:
    """Never: what a revision removes cannot be made up again. Restore a backup instead."""
    raise NotImplementedError("restore a backup")
