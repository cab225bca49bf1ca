"""${message}"""

import sqlalchemy as sa
from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go from the revision before to this one."""
    ${upgrades}


def downgrade() -> None:
    """Never: what a revision removes cannot be made up again. Restore a backup instead."""
    raise NotImplementedError("restore a backup")
