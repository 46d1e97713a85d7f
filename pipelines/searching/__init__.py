r"""Tree search over steps of text: the pure core. It knows no model, and waits for nothing.

    node.py      Node: a step, its statistics, its children; `grow` gives a node its children
    search.py    Policy: which child is walked to (`choose`), what a finished walk changes
                 (`backup`), which nodes are to be expanded (`is_open`), where it goes then (`after`)
                 search(root, policy, iterations, ...) yields batches of nodes to expand:

                     for leaves in search(root, puct(), 64, depth_limit=4):
                         for leaf in leaves:
                             grow(leaf, [Candidate("a step\n", prior=0.5, value=0.6), ...])

    puct.py uct.py best_first.py      policies by name; `backup.py` has what they share
    steps.py duplicates.py prior.py value.py outcome.py gold.py decision.py stopping.py
                                      rules of MCTS-DPO (arXiv 2405.00451), one noun each

A policy of your own is `Policy(by_score(score), backup)` with two plain functions; a score reads
`visits` and `worth` of a node (they count walks under way), a backup reads and writes `n_visits`, `v`
and `q`.
"""
