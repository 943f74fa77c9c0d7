"""klaviyo-sql extension-path: where the loadable extension is, ready to be loaded."""

from __future__ import annotations

from argparse import Namespace

from klaviyo_sql.cli import exits
from klaviyo_sql.extension import installed


def run(arguments: Namespace) -> int:
    """Print the path, after compiling the extension if that is wanted."""
    print(installed.built() if arguments.build else installed.library())
    return exits.FINE
