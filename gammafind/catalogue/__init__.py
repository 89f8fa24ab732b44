"""Sources and detections as tables: schema, matching, merging, regions, files."""
