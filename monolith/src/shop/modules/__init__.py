"""The six modules of the shop. Each has one door, `public.py`; nothing else of it may be imported from outside."""
