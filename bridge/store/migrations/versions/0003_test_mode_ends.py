"""Test mode ends by itself, toggles can be taken back; a destination's answers are found."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what a route goes back to."""
    op.add_column("route", sa.Column("test_until", sa.BigInteger(), nullable=True))
    op.create_index("ix_receipt_destination", "receipt", ["destination_id", "id"], unique=False)
    for name in ("mode_after", "toggles_before"):
        op.add_column("route", sa.Column(name, sa.Text(), server_default="", nullable=False))
