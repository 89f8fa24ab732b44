"""The built-in plugins; each knows the core, none knows another."""
