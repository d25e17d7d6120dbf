"""Running a trained model: decoding and encoding, with PyTorch or ONNX Runtime."""
