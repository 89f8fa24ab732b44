"""How the classifier ``image-cnn`` learns from detections in simulated images."""
