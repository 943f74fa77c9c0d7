"""SQL texts, read before SQLite reads them: no network, no SQLite."""
