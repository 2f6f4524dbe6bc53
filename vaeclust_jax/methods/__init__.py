"""Methods: what is learned, in stages, and what the model can then be asked."""
