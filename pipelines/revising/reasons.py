"""Why a completion holds no usable revision."""

REASONS = (
    "no_marker",
    "empty_revision",
    "revision_refused",
    "revision_truncated",
    "no_change",
    "too_short",
    "too_long",
    "leak",
    "not_dissatisfied",
    "unread_feedback",
    "no_feedback",
)
"""No marker starts a line; nothing stands after it; the reviser refuses; its reply is cut off; the
texts are equal but for white space; too short or too long against the original; it tells that it
is a revision. Of user feedback: there is no fault found; the reader's reply cannot be read; there is
none."""
