"""How many queries are made up: the same ones in every run, or as many others as ORACLE_EXAMPLES says."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings


def examples(usual: int) -> settings:
    """The settings of a test of generated queries, of which there usually are so many; a query may take its time, and an oracle serves them all."""
    return settings(
        max_examples=int(os.environ.get("ORACLE_EXAMPLES", usual)),
        deadline=None,
        derandomize="ORACLE_EXAMPLES" not in os.environ,
        database=None,
        print_blob=False,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large, HealthCheck.large_base_example],
    )
