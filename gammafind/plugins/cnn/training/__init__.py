"""How the classifier ``cnn`` learns from detections of simulated skies."""
