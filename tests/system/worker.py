"""A worker that asks the server of the tests, on a clock on which no limit of Klaviyo's takes time; it is run instead of the package's own.

python worker.py FOLDER NOW: the folder of the package, and the time at which the clock begins.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

sys.path.insert(0, sys.argv[1])

from klaviyo_sql.extension.worker import main
from klaviyo_sql.fetch import Limits
from klaviyo_sql.model.clock import SimulatedClock
from klaviyo_sql.session.arrangement import Arrangement, arranged

CLOCK = SimulatedClock(datetime.fromisoformat(sys.argv[2]))
LIMITS = Limits(CLOCK)


def arrange(_: Mapping[str, str]) -> Arrangement:
    """What the environment says, on that clock."""
    return replace(arranged(sandbox=False), clock=CLOCK, limits=LIMITS)


if __name__ == "__main__":
    main(arrange)
