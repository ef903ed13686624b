"""The model store: models are installed, tried, swapped while a service runs, and rolled back."""
