"""The steps in ci/, what they think, and the pipelines that call them."""
