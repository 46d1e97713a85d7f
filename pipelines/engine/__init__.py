"""The embedded engine: small Llama checkpoints, run on the CPU with NumPy alone.

    checkpoint.py   a folder as Hugging Face lays it out: what counts of it, and its digest
    shape.py        config.json: the numbers that fix the arithmetic
    weights.py      safetensors in float32, laid out for the forward pass
    rows.py         matrix products in blocks of rows that are all treated alike
    cache.py        keys and values of sequences of one length, and attention to them
    llama.py        the forward pass, over many sequences at once
    draw.py         logits -> log-probabilities -> one token
    vocabulary.py   text <-> tokens; conversations, by the checkpoint's own chat template
    model.py        all of these, loaded
    ask.py          what can be asked: samples, or the log-probabilities of a given text
    batch.py        what is computed together: requests join and leave at any step
    worker.py       threads that compute for everybody who asks
    host.py         requests of a build or a server, answered
    bodies.py  replies.py  server.py    the same over OpenAI's protocol

**The same seed gives the same text, whatever else is in the batch**, to the last bit of every
log-probability. BLAS does not give that by itself: it sums in another order for another number of
rows, and with some kernels for another row. So products see rows in blocks of one fixed size whose
rows are treated alike, which is tried when a model is loaded (`rows.py`); attention, whose shapes
depend on the length, sees the samples of one request alone, which are equally long (`cache.py`);
all else is element by element, or sums of one fixed length. It holds for one machine and one
installation of NumPy: another BLAS rounds differently.
"""
