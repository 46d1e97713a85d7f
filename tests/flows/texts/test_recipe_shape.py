from flows.texts.recipe_shape import places
from pipelines.part import SHELVES
from pipelines.recipe import KEYS, Head


def test_every_key_that_a_recipe_may_open_with_has_its_place() -> None:
    in_recipe = {place.word for place in places() if place.word not in ("recipe", "exporters")}
    assert in_recipe | Head.model_fields.keys() == KEYS


def test_every_shelf_has_its_place() -> None:
    assert {place.shelf for place in places()} - {""} == SHELVES.keys()


def test_the_places_stand_in_the_order_of_the_data() -> None:
    words = [place.word for place in places()]
    assert words[0] == "recipe"
    assert words.index("sources") < words.index("judges") < words.index("score")


def test_gates_and_budget_decide_no_content() -> None:
    outside = {place.word for place in places() if place.outside}
    assert outside == {"gates", "budget", "exporters"}
