"""Training: from a recipe and images to a checkpoint, in runs that can be resumed."""
