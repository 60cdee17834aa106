"""What stands where nothing moves: each explorer drawn once, by the library itself."""
