"""The sky as data: bands, pixels, maps, patches, PSF, files."""
