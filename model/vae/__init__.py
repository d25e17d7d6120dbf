"""The variational autoencoder itself."""
