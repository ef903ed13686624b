"""The model store: install, try and roll back models, and swap them while a service runs."""
