"""How the classifier of catalogues learns from labelled sources; needs scikit-learn."""
