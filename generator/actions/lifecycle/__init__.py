"""The beginning and the end of an environment, in parts."""
