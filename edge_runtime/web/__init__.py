"""The web page, its HTTP API, and the server for both."""
