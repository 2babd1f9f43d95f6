"""ReST meets ReAct: a search agent that learns from its own trajectories, without labels."""
