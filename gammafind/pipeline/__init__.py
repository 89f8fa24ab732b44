"""The verbs: from files to a catalogue."""
