"""Schema revisions, run by `Database.migrate`."""
