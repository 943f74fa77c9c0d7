"""The account's tables in any program's SQLite: a loadable extension in C (`source/`), and the worker process that it asks.

The extension links no Python and knows nothing of Klaviyo. It starts one worker for each process, has a line to it for each connection, and what it asks there
is in `wire.py`. So the planner, the tables and the errors are the same as in Python, and the worker computes while the host does.
"""
