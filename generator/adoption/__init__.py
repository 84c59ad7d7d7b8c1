"""Taking over a release that somebody else made, without changing one object of it."""
