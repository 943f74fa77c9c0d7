"""The pure middle: constraints in, the requests that answer them out. No network, no SQLite, no clock."""
