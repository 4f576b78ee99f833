"""Sets up what the application runs in. Standard library only: this runs before any package is installed."""
