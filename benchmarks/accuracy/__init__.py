"""How well digits are read: single characters, pages, strings, moving pictures, hard conditions."""
