"""The waiting half: pulling, filing, delivering, asking."""
