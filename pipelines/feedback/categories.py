"""Categories of what users say of an answer: nine of satisfaction, nine of dissatisfaction.

WildFeedback (arXiv 2408.15549) tells as many apart; names and words here are our own.
"""

SATISFIED = {
    "thanks": "thanks the assistant",
    "learned": "says that they learned or understood something",
    "followed": "says that their instructions were followed",
    "praise": "calls the answer good, or names what is good in it",
    "trust": "tells something personal, of their own accord",
    "humour": "jokes, or enjoys a joke of the assistant's",
    "accepted": "accepts or confirms what was said, and builds on it",
    "closing": "ends the conversation in a friendly way",
    "progress": "says that it comes nearer to what they want",
}
DISSATISFIED = {
    "complaint": "says outright that the answer is bad or useless",
    "correction": "asks for the same again, in another way or with something changed",
    "error": "points out something false",
    "too_much": "wanted something that the assistant says it cannot do, and says so",
    "gave_up": "leaves the matter, without any interest in the answer",
    "ignored": "says that a question or an instruction was passed over",
    "got_worse": "says that the answer is worse than one before",
    "too_little": "asks for the detail or depth that is missing",
    "style": "objects to length, tone, language or format",
}
