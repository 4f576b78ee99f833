"""The training tab: data, recipe, jobs, curves, and the models that come of them."""
