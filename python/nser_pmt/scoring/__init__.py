"""Models, and scoring with them."""
