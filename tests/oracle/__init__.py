"""The same query on the account's tables and on plain SQLite tables that hold the same account must have the same answer."""
