"""What the steps in ci/ think: members and their dependencies, what a change affects, isolation, rollouts, releases.

Standard library only: a pipeline asks it before anything is installed.
"""
