"""reviews, and the events that belong to them."""

from __future__ import annotations

from klaviyo_sql.model.table import Argument, Attribute, Collection, Column, Example, Filter, Included, Linked, Related, Table, Type
from klaviyo_sql.tables.columns import boolean, integer, json, linked, own_id, text, time

REVIEWS = Table(
    name="reviews",
    doc="The reviews and questions that people wrote about items, one row each.",
    source=Collection(resource="review", list="get_reviews", get="get_review", most_gets=1, default_sort="created"),
    key=("id",),
    typical_rows=2_000,
    columns=(
        own_id("The review's id."),
        linked(
            "item_id",
            Argument(),
            "The id of a catalog item: give it to find its reviews; NULL when it is not given.",
            Filter("item.id", exact=True),
            hidden=True,
        ),
        text("review_type", "What it is: review, rating, question or store.", filter="review_type"),
        integer("rating", "The stars, from 1 to 5.", filter=Filter("rating", exact=True)),
        text("title", "The review's title."),
        text("content", "What somebody wrote."),
        text("smart_quote", "A sentence of it that Klaviyo chose."),
        text("author", "Who wrote it."),
        text("email", "The email address of who wrote it."),
        boolean("verified", "1 when they bought the item.", filter="verified"),
        text("status", "How far it is: published, unpublished, featured, pending or rejected.", "status", "value", filter="status"),
        text("rejection_reason", "Why it was rejected.", "status", "rejection_reason", "reason"),
        text("rejection_explanation", "Why it was rejected, in somebody's words.", "status", "rejection_reason", "status_explanation"),
        json("status_details", "The whole status, as JSON.", "status"),
        json("images", "The URLs of pictures, as a JSON array."),
        text("product_name", "The item's name.", "product", "name"),
        text("product_url", "The item's page.", "product", "url"),
        text("product_image_url", "The URL of the item's picture.", "product", "image_url"),
        text("product_external_id", "The id of the item in your own system.", "product", "external_id"),
        text("public_reply_content", "What you answered.", "public_reply", "content"),
        text("public_reply_author", "Who answered.", "public_reply", "author"),
        time("public_reply_updated", "When the answer last changed.", "public_reply", "updated"),
        time("created", "When it was written.", filter="created", sort="created"),
        time("updated", "When it last changed.", sort="updated"),
    ),
    examples=(
        Example("How many stars are given?", "SELECT rating, count(*) AS reviews FROM reviews WHERE review_type = 'review' GROUP BY rating"),
        Example("What is said lately?", "SELECT created, rating, title, content FROM reviews ORDER BY created DESC LIMIT 10"),
        Example("What is said of which item?", "SELECT product_name, avg(rating) AS stars FROM reviews GROUP BY product_external_id ORDER BY stars"),
    ),
)

REVIEW_EVENTS = Table(
    name="review_events",
    doc="Which events belong to reviews, one row for each pair.",
    source=Collection(
        resource="review", list="get_reviews", get="get_review", most_gets=1, default_sort="created", each=(Linked("events", "event"),), of="reviews"
    ),
    key=("review_id", "event_id"),
    typical_rows=2_000,
    columns=(
        own_id("The review's id.", name="review_id"),
        linked("event_id", Related("events", "event"), "The event's id.", not_null=True),
        Column("datetime", Included("events", "event", Attribute(("datetime",))), Type.TIMESTAMP, "When the event happened."),
        Column("event_properties", Included("events", "event", Attribute(("event_properties",))), Type.JSON, "The event's properties, as JSON."),
    ),
    examples=(
        Example("Which events belong to reviews?", "SELECT review_id, event_id, datetime FROM review_events LIMIT 10"),
        Example("When were they?", "SELECT date(datetime) AS day, count(*) AS events FROM review_events GROUP BY day ORDER BY day DESC LIMIT 7"),
        Example("Which has one review?", "SELECT event_id FROM review_events WHERE review_id = (SELECT review_id FROM review_events LIMIT 1)"),
    ),
)
