"""The five roles that plugins fill, and how plugins are found."""
