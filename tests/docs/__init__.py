"""What the documents in `docs/` and README say of commands, settings, metrics, alerts, pages and tables is there."""
