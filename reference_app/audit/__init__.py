"""The audit trail: who changed what (B-54). Triggers write it (``schema/360_audit.sql``)."""
