"""Changed rows in, requests out: values only, no network, no SQLite, no clock."""
