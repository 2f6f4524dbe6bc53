"""What the book's pages do not hold themselves: parts made from the code and from committed results."""
