"""Real list servers."""
