"""Routes that speak HTML."""
