"""Measures what Setten costs and prints it as one table, beside what the machine itself costs."""
