"""Who is missed and who is included, and models compared by it."""
