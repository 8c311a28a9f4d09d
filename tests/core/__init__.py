"""The laws of actions, environments, the simulation, its snapshots, batches and rows, in CPython."""
