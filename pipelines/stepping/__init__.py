"""What a search asks models: to go on with an answer, how good it is so far, whether it is right.

continuation.py   a conversation that ends with an answer begun
evaluation.py     `evaluation = {...}` of a sampler: an answer so far -> a value
question.py       what the evaluator is asked, rendered once for each prompt
checked.py        a finished answer -> what a judge of the recipe says of it
rows.py           a searched tree -> responses and tree nodes
"""
