"""klaviyo_sql: a Klaviyo account as a database."""
