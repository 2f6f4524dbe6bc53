"""One call from data to a clustered model: config, `fit`, the fitted `Run`, saving and loading."""
