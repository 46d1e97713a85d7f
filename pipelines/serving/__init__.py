"""Engines that pairwright starts itself, each in an environment and a process group of its own.

vllm         the fields that both vLLM backends share, and who answers: weights, arguments, version
engine       the engine's arguments: which decide texts, and which only how fast they come
environment  the Python that vLLM is installed in, and the version it has there
weights      the digest of a model's folder
child        a command that cannot outlive its parent, by way of `warden.py`
log          what a log says went wrong
server       one server: a free port, the wait for its health, its figures, its end
leases       one server for all models and threads that want the same
offline      batch jobs, one run of the engine for each
metrics      what the engine counted
"""
