"""The one exception for mistakes that the user can mend."""


class UserError(Exception):
    """Bad input. Its message is one clear sentence: what was wrong, where, and what to do."""
