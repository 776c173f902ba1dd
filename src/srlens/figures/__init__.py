"""Pictures of results; the only place that uses matplotlib."""
