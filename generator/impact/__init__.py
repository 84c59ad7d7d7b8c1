"""What a change will do to what is running."""
