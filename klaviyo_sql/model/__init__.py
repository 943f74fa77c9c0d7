"""The words that declarations are made of: tables, columns, filters, requests, time."""
