from collections import Counter

import pytest

from pipelines.rewriting.rules import RULES, rules_for


def test_there_are_as_many_rules_of_each_label_as_in_the_paper():
    labels = Counter(rule.label for rule in RULES)
    assert labels == {"harmlessness": 2, "helpfulness": 3, "honesty": 1, "coding": 2, "math": 2}
    assert len({rule.name for rule in RULES}) == len(RULES)


@pytest.mark.parametrize(
    ("task", "labels"),
    [
        ("math", {"math"}),
        ("Coding + honesty", {"coding", "honesty"}),
        ("chess", {"helpfulness"}),
        (None, {"helpfulness"}),
        ("chess, math", {"math"}),
    ],
)
def test_only_rules_for_the_labels_of_the_task_apply(task, labels):
    assert {rule.label for rule in rules_for(task, RULES, ("helpfulness",))} == labels


def test_without_any_label_there_is_no_rule():
    assert rules_for("chess", RULES, ()) == ()
