"""The scenarios that come along, a script each; ``sim.load_scenario`` finds them by name."""
