"""Lines of digits: read as a whole by the line network, compared with single digits, and written as text."""
