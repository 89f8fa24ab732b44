"""How networks are trained: data, targets, losses, the loop."""
