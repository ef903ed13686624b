"""Lines of digits: reading by the line network, comparison with single digits, and output as text."""
