"""From a TOML file to a recipe: what is needed to train a model again."""
