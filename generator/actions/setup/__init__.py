"""What gen-env works with: machine, cluster, CI of the forge, and where somebody is."""
