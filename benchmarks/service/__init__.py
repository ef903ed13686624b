"""What runs for long: the web server under load, cameras for hours, changes of the model."""
