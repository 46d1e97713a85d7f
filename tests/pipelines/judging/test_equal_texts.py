from pipelines.judging.equal_texts import one_of_each_text


def test_of_equal_texts_the_smallest_id_stands_for_all(prompt, respond):
    asked = prompt("Hello?")
    texts = [("r3", "x"), ("r1", "y"), ("r2", "x"), ("r4", " "), ("r5", None)]
    responses = [respond(asked, text, id_) for id_, text in texts]
    assert [one.response_id for one in one_of_each_text(responses)] == ["r1", "r2"]
