"""The networks: model files, LiteRT interpreters, the 28x28 contract's version, golden vectors."""
