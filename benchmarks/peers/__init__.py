"""What this library is compared with. Only the files of this folder import PyTorch and ClustPy."""
