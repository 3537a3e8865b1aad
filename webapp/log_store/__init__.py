"""The database of the query log: its tables, who writes to it and when, and what is read from it."""
