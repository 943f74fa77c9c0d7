"""How far Klaviyo is with what it was asked to do."""

from __future__ import annotations

from klaviyo_sql.model.procedure import Input, Procedure, Result
from klaviyo_sql.model.table import Type

_KINDS = {
    "import_profiles": "get_bulk_import_profiles_job",
    "suppress_profiles": "get_bulk_suppress_profiles_job",
    "unsuppress_profiles": "get_bulk_unsuppress_profiles_job",
    "create_coupon_codes": "get_bulk_create_coupon_codes_job",
    "send_campaign": "get_campaign_send_job",
    "recipient_estimation": "get_campaign_recipient_estimation_job",
    **{
        f"{verb}_catalog_{plural}": f"get_bulk_{verb}_{'catalog_items' if plural == 'items' else plural}_job"
        for plural in ("items", "variants", "categories")
        for verb in ("create", "update", "delete")
    },
}

PROCEDURES = (
    Procedure(
        "job_status",
        "How far a job is; nothing is changed.",
        (
            Input("kind", "What the job does.", required=True, choices=tuple(_KINDS)),
            Input("job_id", "The job's id, which klaviyo_writes tells; of a campaign its own.", required=True, names=("id", "job")),
        ),
        results=(
            Result("total", "How many rows it has.", ("attributes", "total_count"), Type.INTEGER),
            Result("completed", "How many are done.", ("attributes", "completed_count"), Type.INTEGER),
            Result("failed", "How many could not be written.", ("attributes", "failed_count"), Type.INTEGER),
            Result("skipped", "How many there was nothing to do for.", ("attributes", "skipped_count"), Type.INTEGER),
            Result("created_at", "When it was asked for.", ("attributes", "created_at"), Type.TIMESTAMP),
            Result("completed_at", "When it was done.", ("attributes", "completed_at"), Type.TIMESTAMP),
            Result("errors", "What went wrong, as far as the job tells.", ("attributes", "errors"), Type.JSON),
        ),
        reads=True,
        looks=_KINDS,
        example="SELECT status, completed FROM job_status('import_profiles', (SELECT id FROM profile_bulk_import_jobs LIMIT 1));",
    ),
)
