"""Rules without input or output: values in, values out."""
