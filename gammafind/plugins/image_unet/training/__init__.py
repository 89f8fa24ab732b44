"""How the localiser ``image-unet`` learns from tiles of simulated images."""
