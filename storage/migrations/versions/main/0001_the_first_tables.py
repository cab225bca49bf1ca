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
        "accounts",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("created", sa.Date(), nullable=False),
        sa.Column("term", sa.BigInteger(), nullable=True),
        sa.Column("kem_public", sa.LargeBinary(), nullable=False),
        sa.Column("sign_public", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_kem", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_sign", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_values", sa.LargeBinary(), nullable=False),
        sa.Column("keys_statement", sa.LargeBinary(), nullable=False),
        sa.Column("keys_signature", sa.LargeBinary(), nullable=False),
        sa.Column("keys_due", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
    )
    op.create_table(
        "assist_openings",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("code_digest", sa.String(length=64), nullable=False),
        sa.Column("term", sa.BigInteger(), nullable=False),
        sa.Column("slot", sa.String(length=64), nullable=True),
        sa.Column("moved", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assist_openings")),
    )
    op.create_table(
        "attempts",
        sa.Column("shown_digest", sa.String(length=64), nullable=False),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.Column("wait_until", sa.BigInteger(), nullable=True),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shown_digest", name=op.f("pk_attempts")),
    )
    op.create_table(
        "checkpoints",
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("published", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_checkpoints")),
    )
    op.create_table(
        "closings",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("announced", sa.Date(), nullable=False),
        sa.Column("closes", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closings")),
    )
    op.create_table(
        "condition_versions",
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_condition_versions")),
    )
    op.create_table(
        "doomed_blobs",
        sa.Column("blob", sa.String(length=64), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("erasure", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("blob", name=op.f("pk_doomed_blobs")),
    )
    op.create_index(op.f("ix_doomed_blobs_erasure"), "doomed_blobs", ["erasure"], unique=False)
    op.create_table(
        "entries",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("person_hash", sa.LargeBinary(), nullable=False),
        sa.Column("worker_hash", sa.LargeBinary(), nullable=False),
        sa.Column("incident_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entries")),
        sa.UniqueConstraint("number", name=op.f("uq_entries_number")),
    )
    op.create_table(
        "erasures",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=True),
        sa.Column("witness", sa.String(length=64), nullable=True),
        sa.Column("register", sa.String(length=64), nullable=True),
        sa.Column("entry", sa.String(length=64), nullable=True),
        sa.Column("certificate", sa.LargeBinary(), nullable=True),
        sa.Column("certificate_signature", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasures")),
    )
    op.create_index(op.f("ix_erasures_person"), "erasures", ["person"], unique=False)
    op.create_table(
        "inquiries",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("persons", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("named", sa.LargeBinary(), nullable=False),
        sa.Column("told", sa.BigInteger(), nullable=True),
        sa.Column("concerned", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inquiries")),
    )
    op.create_table(
        "intentions",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("step", sa.String(length=40), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intentions")),
        sa.UniqueConstraint("kind", "subject", name=op.f("uq_intentions_kind_subject")),
    )
    op.create_index(op.f("ix_intentions_subject"), "intentions", ["subject"], unique=False)
    op.create_table(
        "operators",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operators")),
    )
    op.create_table(
        "schedule_runs",
        sa.Column("job", sa.String(length=40), nullable=False),
        sa.Column("minute", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("job", "minute", name=op.f("pk_schedule_runs")),
    )
    op.create_table(
        "tiles",
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "number", name=op.f("pk_tiles")),
    )
    op.create_table(
        "trace_checks",
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("faults", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("at", name=op.f("pk_trace_checks")),
    )
    op.create_table(
        "trace_keys",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("session", sa.String(length=64), nullable=False),
        sa.Column("party", sa.String(length=40), nullable=False),
        sa.Column("posted", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trace_keys")),
    )
    op.create_table(
        "witness_answers",
        sa.Column("witness", sa.String(length=40), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("witness", name=op.f("pk_witness_answers")),
    )
    op.create_table(
        "administrators",
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("operator", sa.String(length=64), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("sealed_totp", sa.LargeBinary(), nullable=False),
        sa.Column("totp_used", sa.BigInteger(), nullable=False),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_administrators_account")),
        sa.ForeignKeyConstraint(["operator"], ["operators.id"], name=op.f("fk_administrators_operator")),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_administrators")),
        sa.UniqueConstraint("code", name=op.f("uq_administrators_code")),
    )
    op.create_index(op.f("ix_administrators_operator"), "administrators", ["operator"], unique=False)
    op.create_table(
        "article19",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("erasure", sa.String(length=64), nullable=False),
        sa.Column("worker", sa.String(length=64), nullable=True),
        sa.Column("posted", sa.LargeBinary(), nullable=True),
        sa.Column("told", sa.Date(), nullable=False),
        sa.Column("reminded", sa.Date(), nullable=True),
        sa.Column("answer", sa.String(length=40), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("answered", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["erasure"], ["erasures.id"], name=op.f("fk_article19_erasure")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_article19")),
    )
    op.create_index(op.f("ix_article19_erasure"), "article19", ["erasure"], unique=False)
    op.create_index(op.f("ix_article19_worker"), "article19", ["worker"], unique=False)
    op.create_table(
        "brought",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["accounts.id"], name=op.f("fk_brought_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_brought")),
    )
    op.create_index(op.f("ix_brought_person"), "brought", ["person"], unique=False)
    op.create_table(
        "certificate_signatures",
        sa.Column("worker", sa.String(length=64), nullable=False),
        sa.Column("administrator", sa.String(length=64), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["administrator"], ["accounts.id"], name=op.f("fk_certificate_signatures_administrator")),
        sa.ForeignKeyConstraint(["worker"], ["accounts.id"], name=op.f("fk_certificate_signatures_worker")),
        sa.PrimaryKeyConstraint("worker", "administrator", "serial", name=op.f("pk_certificate_signatures")),
    )
    op.create_table(
        "circles",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("needed", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("created", sa.Date(), nullable=False),
        sa.Column("confirmed", sa.Date(), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("service_signature", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["accounts.id"], name=op.f("fk_circles_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_circles")),
    )
    op.create_index(op.f("ix_circles_person"), "circles", ["person"], unique=False)
    op.create_table(
        "directives",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("for_person", sa.LargeBinary(), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("service_signature", sa.LargeBinary(), nullable=False),
        sa.Column("recorded", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["accounts.id"], name=op.f("fk_directives_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_directives")),
        sa.UniqueConstraint("person", name=op.f("uq_directives_person")),
    )
    op.create_table(
        "earlier_keys",
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_kem", sa.LargeBinary(), nullable=True),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_earlier_keys_account")),
        sa.PrimaryKeyConstraint("account", "serial", name=op.f("pk_earlier_keys")),
    )
    op.create_table(
        "entry_copies",
        sa.Column("entry", sa.String(length=64), nullable=False),
        sa.Column("party", sa.String(length=40), nullable=False),
        sa.Column("tag", sa.LargeBinary(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["entry"], ["entries.id"], name=op.f("fk_entry_copies_entry")),
        sa.ForeignKeyConstraint(["key"], ["trace_keys.id"], name=op.f("fk_entry_copies_key")),
        sa.PrimaryKeyConstraint("entry", "party", name=op.f("pk_entry_copies")),
    )
    op.create_index(op.f("ix_entry_copies_key"), "entry_copies", ["key"], unique=False)
    op.create_index("ix_entry_copies_tag", "entry_copies", ["tag", "party", "number"], unique=False)
    op.create_table(
        "figures",
        sa.Column("operator", sa.String(length=64), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(length=40), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["operator"], ["operators.id"], name=op.f("fk_figures_operator")),
        sa.PrimaryKeyConstraint("operator", "year", "what", name=op.f("pk_figures")),
    )
    op.create_table(
        "grants",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("worker", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("body_for_worker", sa.LargeBinary(), nullable=False),
        sa.Column("body_for_person", sa.LargeBinary(), nullable=False),
        sa.Column("posted_for_person", sa.LargeBinary(), nullable=True),
        sa.Column("signatures", sa.LargeBinary(), nullable=False),
        sa.Column("to_reencrypt", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["accounts.id"], name=op.f("fk_grants_person")),
        sa.ForeignKeyConstraint(["worker"], ["accounts.id"], name=op.f("fk_grants_worker")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grants")),
    )
    op.create_index(op.f("ix_grants_person"), "grants", ["person"], unique=False)
    op.create_index(op.f("ix_grants_worker"), "grants", ["worker"], unique=False)
    op.create_table(
        "kept_cards",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("worker", sa.String(length=64), nullable=False),
        sa.Column("card", sa.String(length=64), nullable=False),
        sa.Column("posted_face", sa.LargeBinary(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["accounts.id"], name=op.f("fk_kept_cards_person")),
        sa.ForeignKeyConstraint(["worker"], ["accounts.id"], name=op.f("fk_kept_cards_worker")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_cards")),
    )
    op.create_index(op.f("ix_kept_cards_person"), "kept_cards", ["person"], unique=False)
    op.create_index(op.f("ix_kept_cards_worker"), "kept_cards", ["worker"], unique=False)
    op.create_table(
        "notices",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("posted", sa.LargeBinary(), nullable=False),
        sa.Column("created", sa.Date(), nullable=False),
        sa.Column("seen", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_notices_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
    )
    op.create_index(op.f("ix_notices_account"), "notices", ["account"], unique=False)
    op.create_table(
        "outside_shares",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("link_digest", sa.String(length=64), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("memory_cost", sa.BigInteger(), nullable=False),
        sa.Column("time_cost", sa.BigInteger(), nullable=False),
        sa.Column("openings_left", sa.Integer(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.Date(), nullable=False),
        sa.Column("body_for_person", sa.LargeBinary(), nullable=False),
        sa.Column("body_for_link", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["accounts.id"], name=op.f("fk_outside_shares_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outside_shares")),
        sa.UniqueConstraint("link_digest", name=op.f("uq_outside_shares_link_digest")),
    )
    op.create_index(op.f("ix_outside_shares_person"), "outside_shares", ["person"], unique=False)
    op.create_table(
        "papers",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("shelf", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("bin_until", sa.BigInteger(), nullable=True),
        sa.Column("created", sa.Date(), nullable=False),
        sa.Column("sealed_note", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["person"], ["accounts.id"], name=op.f("fk_papers_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_papers")),
    )
    op.create_index(op.f("ix_papers_person"), "papers", ["person"], unique=False)
    op.create_table(
        "passkeys",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("credential_digest", sa.String(length=64), nullable=False),
        sa.Column("credential", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("uses", sa.BigInteger(), nullable=False),
        sa.Column("slot", sa.String(length=64), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created", sa.Date(), nullable=False),
        sa.Column("used", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_passkeys_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkeys")),
        sa.UniqueConstraint("credential_digest", name=op.f("uq_passkeys_credential_digest")),
    )
    op.create_index(op.f("ix_passkeys_account"), "passkeys", ["account"], unique=False)
    op.create_table(
        "persons",
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("number_digest", sa.String(length=40), nullable=True),
        sa.Column("sealed_number", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_name", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_drawing", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_conditions", sa.LargeBinary(), nullable=False),
        sa.Column("stage", sa.String(length=40), nullable=False),
        sa.Column("bytes_kept", sa.BigInteger(), nullable=False),
        sa.Column("pages_kept", sa.Integer(), nullable=False),
        sa.Column("frozen", sa.BigInteger(), nullable=True),
        sa.Column("restricted", sa.BigInteger(), nullable=True),
        sa.Column("sealed_preferences", sa.LargeBinary(), nullable=True),
        sa.Column("last_month", sa.Date(), nullable=False),
        sa.Column("silence_told", sa.Integer(), nullable=False),
        sa.Column("silence_told_on", sa.Date(), nullable=True),
        sa.Column("returned", sa.Boolean(), nullable=False),
        sa.Column("closing_told", sa.String(length=64), nullable=True),
        sa.Column("sealed_lineage", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_persons_account")),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_persons")),
        sa.UniqueConstraint("number_digest", name=op.f("uq_persons_number_digest")),
    )
    op.create_table(
        "procedure_editions",
        sa.Column("operator", sa.String(length=64), nullable=False),
        sa.Column("procedure", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["operator"], ["operators.id"], name=op.f("fk_procedure_editions_operator")),
        sa.PrimaryKeyConstraint("operator", "procedure", "number", name=op.f("pk_procedure_editions")),
    )
    op.create_table(
        "recoveries",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=True),
        sa.Column("kiosk", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("code_digest", sa.String(length=64), nullable=False),
        sa.Column("tries_left", sa.Integer(), nullable=False),
        sa.Column("code_term", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("opens", sa.BigInteger(), nullable=True),
        sa.Column("term", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["accounts.id"], name=op.f("fk_recoveries_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recoveries")),
    )
    op.create_index(op.f("ix_recoveries_person"), "recoveries", ["person"], unique=False)
    op.create_table(
        "removals",
        sa.Column("entry", sa.String(length=64), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("copies", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["entry"], ["entries.id"], name=op.f("fk_removals_entry")),
        sa.PrimaryKeyConstraint("entry", name=op.f("pk_removals")),
    )
    op.create_table(
        "requests",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("worker", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("asked", sa.Date(), nullable=False),
        sa.Column("answered", sa.Date(), nullable=True),
        sa.Column("for_person", sa.LargeBinary(), nullable=False),
        sa.Column("for_worker", sa.LargeBinary(), nullable=False),
        sa.Column("answer_for_worker", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["person"], ["accounts.id"], name=op.f("fk_requests_person")),
        sa.ForeignKeyConstraint(["worker"], ["accounts.id"], name=op.f("fk_requests_worker")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requests")),
    )
    op.create_index(op.f("ix_requests_person"), "requests", ["person"], unique=False)
    op.create_index(op.f("ix_requests_worker"), "requests", ["worker"], unique=False)
    op.create_table(
        "rights_requests",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("operator", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("origin", sa.String(length=40), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=True),
        sa.Column("identity", sa.String(length=40), nullable=True),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("received", sa.Date(), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("extended", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("extension", sa.Text(), nullable=True),
        sa.Column("first_approval", sa.String(length=64), nullable=True),
        sa.Column("second_approval", sa.String(length=64), nullable=True),
        sa.Column("closed", sa.Date(), nullable=True),
        sa.Column("numbered", sa.Boolean(), nullable=False),
        sa.Column("decided", sa.String(length=40), nullable=True),
        sa.Column("opens", sa.Date(), nullable=True),
        sa.Column("term", sa.Date(), nullable=True),
        sa.Column("told", sa.Date(), nullable=True),
        sa.Column("undoing", sa.String(length=64), nullable=True),
        sa.Column("undoing_reason", sa.Text(), nullable=True),
        sa.Column("froze", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(["operator"], ["operators.id"], name=op.f("fk_rights_requests_operator")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rights_requests")),
    )
    op.create_index(op.f("ix_rights_requests_operator"), "rights_requests", ["operator"], unique=False)
    op.create_index(op.f("ix_rights_requests_person"), "rights_requests", ["person"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("session", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=True),
        sa.Column("slot", sa.String(length=64), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("kiosk", sa.String(length=64), nullable=True),
        sa.Column("sealed_seeds", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_state", sa.LargeBinary(), nullable=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column("term", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_sessions_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("session", name=op.f("uq_sessions_session")),
    )
    op.create_index(op.f("ix_sessions_account"), "sessions", ["account"], unique=False)
    op.create_index(op.f("ix_sessions_slot"), "sessions", ["slot"], unique=False)
    op.create_table(
        "shelves",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("sealed_kind", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_seed", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["accounts.id"], name=op.f("fk_shelves_person")),
        sa.PrimaryKeyConstraint("id", "epoch", name=op.f("pk_shelves")),
    )
    op.create_index(op.f("ix_shelves_person"), "shelves", ["person"], unique=False)
    op.create_table(
        "slots",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("shown_digest", sa.String(length=64), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("memory_cost", sa.BigInteger(), nullable=False),
        sa.Column("time_cost", sa.BigInteger(), nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=True),
        sa.Column("veto_digest", sa.String(length=64), nullable=True),
        sa.Column("veto_until", sa.BigInteger(), nullable=True),
        sa.Column("wrong_in_a_row", sa.Integer(), nullable=False),
        sa.Column("created", sa.Date(), nullable=False),
        sa.Column("used", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_slots_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slots")),
    )
    op.create_index(op.f("ix_slots_account"), "slots", ["account"], unique=False)
    op.create_index(op.f("ix_slots_shown_digest"), "slots", ["shown_digest"], unique=False)
    op.create_table(
        "structures",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("operator", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["operator"], ["operators.id"], name=op.f("fk_structures_operator")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_structures")),
    )
    op.create_index(op.f("ix_structures_operator"), "structures", ["operator"], unique=False)
    op.create_table(
        "tickets",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("session", sa.String(length=64), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("uses_left", sa.Integer(), nullable=False),
        sa.Column("term", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["accounts.id"], name=op.f("fk_tickets_person")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_tickets")),
    )
    op.create_index(op.f("ix_tickets_person"), "tickets", ["person"], unique=False)
    op.create_table(
        "witnessings",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("slot", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("witness", sa.String(length=64), nullable=False),
        sa.Column("code_digest", sa.String(length=64), nullable=False),
        sa.Column("term", sa.BigInteger(), nullable=False),
        sa.Column("posted", sa.LargeBinary(), nullable=False),
        sa.Column("typed", sa.Boolean(), nullable=False),
        sa.Column("signed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["person"], ["accounts.id"], name=op.f("fk_witnessings_person")),
        sa.ForeignKeyConstraint(["witness"], ["accounts.id"], name=op.f("fk_witnessings_witness")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_witnessings")),
    )
    op.create_index(op.f("ix_witnessings_person"), "witnessings", ["person"], unique=False)
    op.create_index(op.f("ix_witnessings_witness"), "witnessings", ["witness"], unique=False)
    op.create_table(
        "assists",
        sa.Column("slot", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("worker", sa.String(length=64), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("pictures", sa.Boolean(), nullable=False),
        sa.Column("posted_secret", sa.LargeBinary(), nullable=False),
        sa.Column("posted_face", sa.LargeBinary(), nullable=False),
        sa.Column("lent_face", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["accounts.id"], name=op.f("fk_assists_person")),
        sa.ForeignKeyConstraint(["slot"], ["slots.id"], name=op.f("fk_assists_slot")),
        sa.ForeignKeyConstraint(["worker"], ["accounts.id"], name=op.f("fk_assists_worker")),
        sa.PrimaryKeyConstraint("slot", name=op.f("pk_assists")),
    )
    op.create_index(op.f("ix_assists_person"), "assists", ["person"], unique=False)
    op.create_index(op.f("ix_assists_worker"), "assists", ["worker"], unique=False)
    op.create_table(
        "circle_members",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("circle", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("worker", sa.String(length=64), nullable=True),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("posted_face", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_label", sa.LargeBinary(), nullable=False),
        sa.Column("barred", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["circle"], ["circles.id"], name=op.f("fk_circle_members_circle")),
        sa.ForeignKeyConstraint(["worker"], ["accounts.id"], name=op.f("fk_circle_members_worker")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_circle_members")),
    )
    op.create_index(op.f("ix_circle_members_circle"), "circle_members", ["circle"], unique=False)
    op.create_index(op.f("ix_circle_members_worker"), "circle_members", ["worker"], unique=False)
    op.create_table(
        "death_reports",
        sa.Column("request", sa.String(length=64), nullable=False),
        sa.Column("worker", sa.String(length=64), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["request"], ["rights_requests.id"], name=op.f("fk_death_reports_request")),
        sa.PrimaryKeyConstraint("request", "worker", name=op.f("pk_death_reports")),
    )
    op.create_table(
        "directive_copies",
        sa.Column("directive", sa.String(length=64), nullable=False),
        sa.Column("worker", sa.String(length=64), nullable=False),
        sa.Column("posted", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["directive"], ["directives.id"], name=op.f("fk_directive_copies_directive")),
        sa.ForeignKeyConstraint(["worker"], ["accounts.id"], name=op.f("fk_directive_copies_worker")),
        sa.PrimaryKeyConstraint("directive", "worker", name=op.f("pk_directive_copies")),
    )
    op.create_table(
        "grant_changes",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("grant", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("signatures", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["grant"], ["grants.id"], name=op.f("fk_grant_changes_grant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grant_changes")),
    )
    op.create_index(op.f("ix_grant_changes_grant"), "grant_changes", ["grant"], unique=False)
    op.create_table(
        "invitations",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("structure", sa.String(length=64), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("ends", sa.Date(), nullable=True),
        sa.Column("term", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["accounts.id"], name=op.f("fk_invitations_by")),
        sa.ForeignKeyConstraint(["structure"], ["structures.id"], name=op.f("fk_invitations_structure")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_invitations")),
    )
    op.create_table(
        "kiosks",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("structure", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token_digest", sa.String(length=64), nullable=False),
        sa.Column("camera", sa.Boolean(), nullable=False),
        sa.Column("scanner", sa.Boolean(), nullable=False),
        sa.Column("printer", sa.Boolean(), nullable=False),
        sa.Column("sound", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["structure"], ["structures.id"], name=op.f("fk_kiosks_structure")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kiosks")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_kiosks_token_digest")),
    )
    op.create_index(op.f("ix_kiosks_structure"), "kiosks", ["structure"], unique=False)
    op.create_table(
        "receipts",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("grant", sa.String(length=64), nullable=True),
        sa.Column("for_person", sa.LargeBinary(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created", sa.Date(), nullable=False),
        sa.Column("untied", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["grant"], ["grants.id"], name=op.f("fk_receipts_grant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipts")),
    )
    op.create_index(op.f("ix_receipts_grant"), "receipts", ["grant"], unique=False)
    op.create_table(
        "recovery_confirmations",
        sa.Column("recovery", sa.String(length=64), nullable=False),
        sa.Column("member", sa.String(length=64), nullable=False),
        sa.Column("set", sa.String(length=64), nullable=False),
        sa.Column("moved_share", sa.LargeBinary(), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=True),
        sa.Column("theft", sa.Boolean(), nullable=False),
        sa.Column("beside", sa.Boolean(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["recovery"], ["recoveries.id"], name=op.f("fk_recovery_confirmations_recovery")),
        sa.PrimaryKeyConstraint("recovery", "member", "set", name=op.f("pk_recovery_confirmations")),
    )
    op.create_table(
        "shelf_wraps",
        sa.Column("grant", sa.String(length=64), nullable=False),
        sa.Column("shelf", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("wrap", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["grant"], ["grants.id"], name=op.f("fk_shelf_wraps_grant")),
        sa.PrimaryKeyConstraint("grant", "shelf", "epoch", name=op.f("pk_shelf_wraps")),
    )
    op.create_table(
        "versions",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("paper", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("shelf", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("wrap_kind", sa.String(length=40), nullable=False),
        sa.Column("wrap", sa.LargeBinary(), nullable=False),
        sa.Column("card", sa.LargeBinary(), nullable=False),
        sa.Column("origin", sa.LargeBinary(), nullable=False),
        sa.Column("origin_signature", sa.LargeBinary(), nullable=False),
        sa.Column("confirmation", sa.LargeBinary(), nullable=True),
        sa.Column("depositor", sa.String(length=64), nullable=False),
        sa.Column("deposited", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["paper"], ["papers.id"], name=op.f("fk_versions_paper")),
        sa.ForeignKeyConstraint(["person"], ["accounts.id"], name=op.f("fk_versions_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_versions")),
    )
    op.create_index(op.f("ix_versions_paper"), "versions", ["paper"], unique=False)
    op.create_index(op.f("ix_versions_person"), "versions", ["person"], unique=False)
    op.create_table(
        "workers",
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("structure", sa.String(length=64), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("ends", sa.Date(), nullable=True),
        sa.Column("absent_until", sa.Date(), nullable=True),
        sa.Column("away_since", sa.BigInteger(), nullable=True),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("certificate", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_totp", sa.LargeBinary(), nullable=False),
        sa.Column("totp_used", sa.BigInteger(), nullable=False),
        sa.Column("charter_version", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_workers_account")),
        sa.ForeignKeyConstraint(["structure"], ["structures.id"], name=op.f("fk_workers_structure")),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_workers")),
        sa.UniqueConstraint("code", name=op.f("uq_workers_code")),
    )
    op.create_index(op.f("ix_workers_structure"), "workers", ["structure"], unique=False)
    op.create_table(
        "assist_shelves",
        sa.Column("slot", sa.String(length=64), nullable=False),
        sa.Column("shelf", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("wrap", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["slot"], ["assists.slot"], name=op.f("fk_assist_shelves_slot")),
        sa.PrimaryKeyConstraint("slot", "shelf", "epoch", name=op.f("pk_assist_shelves")),
    )
    op.create_table(
        "circle_shares",
        sa.Column("circle", sa.String(length=64), nullable=False),
        sa.Column("set", sa.String(length=64), nullable=False),
        sa.Column("member", sa.String(length=64), nullable=False),
        sa.Column("share", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["circle"], ["circles.id"], name=op.f("fk_circle_shares_circle")),
        sa.ForeignKeyConstraint(["member"], ["circle_members.id"], name=op.f("fk_circle_shares_member")),
        sa.PrimaryKeyConstraint("circle", "set", "member", name=op.f("pk_circle_shares")),
    )
    op.create_table(
        "objects",
        sa.Column("blob", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["version"], ["versions.id"], name=op.f("fk_objects_version")),
        sa.PrimaryKeyConstraint("blob", name=op.f("pk_objects")),
    )
    op.create_index(op.f("ix_objects_version"), "objects", ["version"], unique=False)
    op.create_table(
        "outside_changes",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("share", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["receipts.id"], name=op.f("fk_outside_changes_id")),
        sa.ForeignKeyConstraint(["share"], ["outside_shares.id"], name=op.f("fk_outside_changes_share")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outside_changes")),
    )
    op.create_index(op.f("ix_outside_changes_share"), "outside_changes", ["share"], unique=False)
    op.create_table(
        "outside_wraps",
        sa.Column("share", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("paper", sa.String(length=64), nullable=False),
        sa.Column("wrap", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["share"], ["outside_shares.id"], name=op.f("fk_outside_wraps_share")),
        sa.ForeignKeyConstraint(["version"], ["versions.id"], name=op.f("fk_outside_wraps_version")),
        sa.PrimaryKeyConstraint("share", "version", name=op.f("pk_outside_wraps")),
    )
    op.create_index(op.f("ix_outside_wraps_paper"), "outside_wraps", ["paper"], unique=False)
    op.create_table(
        "wraps",
        sa.Column("grant", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("paper", sa.String(length=64), nullable=False),
        sa.Column("wrap", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["grant"], ["grants.id"], name=op.f("fk_wraps_grant")),
        sa.ForeignKeyConstraint(["version"], ["versions.id"], name=op.f("fk_wraps_version")),
        sa.PrimaryKeyConstraint("grant", "version", name=op.f("pk_wraps")),
    )
    op.create_index(op.f("ix_wraps_paper"), "wraps", ["paper"], unique=False)


def downgrade() -> None:
    """Never: what a revision removes cannot be made up again. Restore a backup instead."""
    raise NotImplementedError("restore a backup")
