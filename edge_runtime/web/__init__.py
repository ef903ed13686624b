"""The web page and its programming interface, and the server that answers."""
