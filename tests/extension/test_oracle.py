"""The oracle's suites once more, through the extension: what they import is run with the oracle of this folder."""

from __future__ import annotations

from oracle.test_every_table import *  # noqa: F403
from oracle.test_generated import *  # noqa: F403
from oracle.test_period_tables import *  # noqa: F403
from oracle.test_shapes import *  # noqa: F403
