"""Writing metrics of one's own, what stands for what, and reviews."""

from __future__ import annotations

from klaviyo_sql.model.writing import One, Whole, Writes
from klaviyo_sql.tables.written.declaring import Written, named, refused

_COUNTED = "Klaviyo counts events: INSERT INTO events makes one."
_METRICS = "Klaviyo makes a metric with the first event of its name, INSERT INTO events (metric_name, …), and keeps it for ever."

METRICS: dict[str, Written] = {
    "metrics": refused(_METRICS),
    "metric_properties": refused("Klaviyo finds them in the events of the metric: INSERT INTO events."),
    "daily_metrics": refused(_COUNTED),
    "weekly_metrics": refused(_COUNTED),
    "monthly_metrics": refused(_COUNTED),
    "event_attributions": refused("Klaviyo attributes events itself."),
    "custom_metrics": Written(
        named(
            "custom_metric",
            update=One("update_custom_metric", whole=(Whole("attributes.definition", ("aggregation_method", "metric_groups")),)),
            notes=(
                "metric_groups is a JSON array of {metric_id, metric_filters, value_property}; aggregation_method is count or value.",
                "An UPDATE of one of them sends both, because Klaviyo takes them together; the other is read before.",
                "Klaviyo takes 15 new ones and 15 changes a day, and each name once.",
            ),
        ),
    ),
    "custom_metric_metrics": refused("they are in metric_groups: UPDATE custom_metrics SET metric_groups = '[…]'."),
    "mapped_metrics": Written(
        Writes(
            update=One("update_mapped_metric", clears=("metric_id", "custom_metric_id")),
            refused=dict.fromkeys(("INSERT", "DELETE"), "the seven rows are always there: UPDATE mapped_metrics SET metric_id = … or NULL."),
            notes=("NULL clears what is mapped. Klaviyo takes 30 changes a day, and two of each row.",),
        ),
    ),
    "reviews": Written(
        Writes(
            update=One("update_review"),
            refused={
                "INSERT": "people write reviews.",
                "DELETE": "Klaviyo keeps reviews: UPDATE reviews SET status = 'unpublished' hides one.",
            },
            notes=(
                "UPDATE sets the status: featured, published, unpublished, pending or rejected.",
                "A rejected one needs a rejection_reason: fake, false_or_misleading, private_information, profanity_or_inappropriate, unrelated, or "
                "other, which may have a rejection_explanation.",
            ),
        ),
    ),
    "review_events": refused("Klaviyo makes them with the review."),
}
