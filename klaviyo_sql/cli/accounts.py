"""klaviyo-sql accounts: the accounts in the settings. It sends nothing, and shows no key."""

from __future__ import annotations

import sys
from argparse import Namespace

from klaviyo_sql.cli import exits
from klaviyo_sql.cli.formats import FORMATS
from klaviyo_sql.cli.opening import told
from klaviyo_sql.cli.terminal import look
from klaviyo_sql.settings import gathered

_COLUMNS = ("name", "server", "key", "key_from", "is_default")


def run(arguments: Namespace) -> int:
    """List the named accounts: where each is, whether it has a key, and which one tables without a schema are of."""
    with told():
        settings = gathered(config=arguments.config)
    rows = []
    for account in settings.accounts.values():
        there = account.key_is_there(settings.environment)
        key = "unknown" if there is None else "yes" if there else "no"
        rows.append((account.name, account.base_url or settings.base_url, key, account.key_source, int(account.name == settings.account)))
    if not rows and arguments.format == "table":
        where = settings.file.path or settings.usual_file
        print(f"There are no named accounts. They are sections [accounts.NAME] of the settings file, {where}.")
        return exits.FINE
    sys.stdout.writelines(FORMATS[arguments.format](_COLUMNS, iter(rows), look(sys.stdout, arguments.width)))
    return exits.FINE
