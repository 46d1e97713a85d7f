"""Batch routes: requests that are collected into jobs, and answered hours later.

complete(request) ─> lines ─> collect ─> spool ─── a job ───> route ─> results ─> reply
                                 │                              │
                                 └── journal: what is under way, through any stop

lines.py     a request, and what became of it, as lines of an OpenAI batch file
spool.py     the lines of a job that is being collected
job.py       one job, and who waits for it
collect.py   requests that come together make a job
journal.py   the jobs under way, on disk
results.py   result lines on disk, by custom_id
route.py     what runs jobs: the contract
provider.py  the files and batches endpoints
remote.py    the route through them
"""
