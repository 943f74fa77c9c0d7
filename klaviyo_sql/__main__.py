"""`python -m klaviyo_sql` is the command `klaviyo-sql`."""

from __future__ import annotations

import sys

from klaviyo_sql.cli.main import main

sys.exit(main())
