"""The Surgeon: decision points, recommendations, early stopping."""
