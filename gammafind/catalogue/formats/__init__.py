"""One module for each file format of tables; `gammafind.catalogue.io` selects it."""
