"""How a trained model runs."""
