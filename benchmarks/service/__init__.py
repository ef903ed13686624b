"""Long-running programs: the web server under load, cameras for hours, model updates."""
