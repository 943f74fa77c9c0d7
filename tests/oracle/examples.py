"""How many queries are made up: the same ones in every run, or as many others as ORACLE_EXAMPLES says."""

from __future__ import annotations

import os
from collections.abc import Collection

from hypothesis import HealthCheck, settings

ONE_ORACLE = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture)
"""What is not complained of where one oracle serves all queries, of which some take their time."""
LARGE = (*ONE_ORACLE, HealthCheck.data_too_large, HealthCheck.large_base_example)
"""The same where queries are large as well."""


def examples(usual: int, unchecked: Collection[HealthCheck] = ()) -> settings:
    """The settings of a test of generated queries, of which there usually are so many; else they are those of all tests."""
    return settings(
        max_examples=int(os.environ.get("ORACLE_EXAMPLES", usual)),
        derandomize="ORACLE_EXAMPLES" not in os.environ,
        print_blob=False,
        suppress_health_check=unchecked,
    )
