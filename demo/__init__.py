"""The demo world: rendered films with known truth, questions about them, and the models trained
on them. Its models know nothing else.
"""
