"""What a run measures, as `metrics.json` holds it: a typed record a task."""
