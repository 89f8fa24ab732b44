"""Files, cache, progress, random streams, workers, TOML and types of options."""
