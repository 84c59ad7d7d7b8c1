"""Who may reach the environment, who may do what in it, and as whom it acts elsewhere."""
