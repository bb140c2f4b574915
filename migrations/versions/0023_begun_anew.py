"""Which tellings are of before a message began anew, and whether it stays confidential; what comes of an answer."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_OUTCOMES = "acknowledged, known, wrong, limited, words, automatic"


def upgrade() -> None:
    """To this revision."""
    op.add_column(
        "dispatches",
        sa.Column(
            "void_to",
            sa.BigInteger(),
            comment="number of the last telling of before it began anew: none of those counts",
        ),
    )
    op.add_column(
        "dispatches",
        sa.Column(
            "confidential",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="whether a rule that it went by before it began anew was: it stays so",
        ),
    )
    _comment_of_outcome(f"{_OUTCOMES}, nobodys", _OUTCOMES)


def downgrade() -> None:
    """Back to the one before."""
    _comment_of_outcome(_OUTCOMES, f"{_OUTCOMES}, nobodys")
    op.drop_column("dispatches", "confidential")
    op.drop_column("dispatches", "void_to")


def _comment_of_outcome(was: str, is_: str) -> None:
    op.alter_column(
        "replies", "outcome", existing_type=sa.Text(), existing_nullable=False, existing_comment=was, comment=is_
    )
