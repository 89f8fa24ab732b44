"""A plugin that fails at import, on purpose."""

raise RuntimeError("this plugin is broken on purpose")
