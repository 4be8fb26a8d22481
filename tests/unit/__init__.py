"""Pure code: values in, values out."""
