"""What the models are compared with."""
