"""How sure: of the code, of the cluster, of the training; and whether that flags the errors."""
