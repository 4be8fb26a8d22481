"""The experiment: what a user asks for (`spec`), what it is at a moment (`state`), what may happen (`transitions`) and
what happens next (`decide`)."""
