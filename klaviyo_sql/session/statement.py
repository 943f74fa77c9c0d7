"""What the scans of one running statement know of each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from klaviyo_sql.engine import Scans
from klaviyo_sql.model.table import Table
from klaviyo_sql.scanner import Scanner
from klaviyo_sql.session import index

if TYPE_CHECKING:
    from klaviyo_sql.session.served import Standing


class Statement:
    """The scanners, which remember what was read, and the cursors, whose pages tell what will be asked for next.

    SQLite closes the cursor of a correlated subquery after each row; what it had read stays here until the next statement begins.
    """

    def __init__(self) -> None:
        self._scanners: dict[str, Scanner] = {}
        self._cursors: dict[int, Standing] = {}
        self._entered: dict[int, Standing] = {}
        """The cursors that had rows since the statement began."""
        self.elsewhere: Callable[[str], Iterator[str]] | None = None
        """The texts below one in what the statement reads beside the account, as far as that can be seen."""

    def begin(self) -> None:
        """Forget what was read: the next statement sees Klaviyo anew."""
        self._scanners.clear()
        self._entered.clear()

    def scanner(self, engine: Scans, table: Table, agreed: str) -> Scanner:
        """The scanner for what was agreed on a scan, one for all its cursors."""
        scanner = self._scanners.get(agreed)
        if scanner is None:
            agreement = index.read(agreed)
            scanner = self._scanners[agreed] = Scanner(
                engine, table, agreement.columns, agreement.scan_order, agreement.limit, agreement.sifted, unread=agreement.fixed is not None
            )
        return scanner

    def enter(self, cursor: Standing) -> None:
        """The cursor has rows from now on."""
        self._cursors[id(cursor)] = self._entered[id(cursor)] = cursor

    def leave(self, cursor: Standing) -> None:
        """The cursor was closed."""
        self._cursors.pop(id(cursor), None)
        self._entered.pop(id(cursor), None)

    def alone(self) -> Standing | None:
        """The one cursor that is open and had rows since the statement began; None when there are none or several."""
        return next(iter(self._entered.values())) if len(self._entered) == 1 else None

    def waiting(self, asking: Standing, value: str) -> Iterable[str]:
        """The texts below the value where other cursors stand on it, in a page or in an ordinary table: an inner loop will ask for them next."""
        for cursor in self._cursors.values():
            if cursor is not asking:
                found = cursor.below(value)
                if found:
                    return found
        return self.elsewhere(value) if self.elsewhere is not None else ()
