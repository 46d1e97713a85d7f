"""Reading what a judge says: a parser for each form of a reply.

    read_rating     Rating: 7              read_yes_no    1: yes
    read_ratings    Clarity: 7                            2: no
                    Honesty: 9             read_json      {"clarity": 7, "why": "..."}
    read_verdict    Verdict: A             read_ranking   Ranking: B > A = C

All take the last statement of the judge's own (`said.py`) and guess nothing: what is not exactly
of the form is a JudgmentError, whose text is fit to be quoted back to the judge. A remark may
follow a rating, a verdict, a yes or no, set off by a mark: "Rating: 7 - clear, but short". It is not
read, and where it might take back what it follows (another number, another letter) nothing is.
"""

from pipelines.judging.reading.json_object import read_json
from pipelines.judging.reading.ranking import read_ranking
from pipelines.judging.reading.rating import read_rating, read_ratings
from pipelines.judging.reading.scale import Scale
from pipelines.judging.reading.verdict import Shown, read_verdict
from pipelines.judging.reading.yes_no import read_yes_no

__all__ = [
    "Scale",
    "Shown",
    "read_json",
    "read_ranking",
    "read_rating",
    "read_ratings",
    "read_verdict",
    "read_yes_no",
]
