"""What a connection is apart from the SQLite that it is used through: the accounts, their tables, and what a statement remembers.

Two adapters stand on it: `sqlite/`, SQLite in this process, and `extension/`, the SQLite of any program.
"""
