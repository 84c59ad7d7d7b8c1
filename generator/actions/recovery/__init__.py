"""Getting an environment back: the steps of a restore."""
