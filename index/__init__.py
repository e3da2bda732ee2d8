"""Articles, passages, vectors, the saved index, and the weights that both stages need."""
