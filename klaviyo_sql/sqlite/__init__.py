"""The adapter to SQLite in the same process, and the PEP 249 connection on it; only this folder knows apsw."""
