"""How the localiser ``unet`` learns from patches of simulated skies."""
