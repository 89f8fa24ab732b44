"""The Fermi Large Area Telescope: responses, catalogues, diffuse emission, renderer."""
