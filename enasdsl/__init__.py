"""A language for neural-architecture search spaces, and efficient searches over them."""
