"""HTTP: what is asked, what comes back, and the connections in between.

http_model  what all models behind an address share: who answers, the key, one POST for a request
address     the URL that is called, and what it says about who answers
body        a Request -> the bytes of a chat completion's POST
reply       the bytes of a 200 -> a Reply
score       the same for the log-probabilities of a given text
reward      the same for the number that a reward model gives, both ways
fault       any other answer -> the BackendError that it means
pool        connections to one URL, each a `connection`; through a `proxy`, by `dial`
secrets     the key, kept out of all that a server sends
"""
