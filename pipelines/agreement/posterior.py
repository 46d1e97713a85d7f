"""Posterior: what votes on a pair make believe about everybody who might vote."""

import math


def p_preferred(n_votes: int, lead: int) -> float:
    """P(p > 1/2 | votes): the probability that most voters would prefer the leading one.

    `lead` is votes for it less votes against it; ties are the rest of `n_votes` and count half for
    either. Before any vote p, the share of voters for it, is distributed as Beta(1/2, 1/2)
    (Jeffreys), so afterwards as Beta(a, b), a = k + 1/2, b = n - k + 1/2, k = (n + lead) / 2, and

        P(p > 1/2) = 1 - I(a, b)     I: the regularised incomplete beta function at 1/2
        I(c, c) = 1/2                I(a + 1, b) = I(a, b) - t(a, b)
        t(a, b) = 2^-(a + b) / (a B(a, b))

    a - b is whole, so I is reached from c = min(a, b) in |lead| steps, and t by its ratios, from
    t(1/2, 1/2) = 1/pi or t(1, 1) = 1/4. Votes count as independent: samples of one judge are not.

    >>> round(p_preferred(1, 1), 6)  # 1/2 + 1/pi
    0.81831
    >>> p_preferred(1, 0), p_preferred(3, 3) + p_preferred(3, -3)
    (0.5, 1.0)
    """
    if not abs(lead) <= n_votes:
        raise ValueError(f"a lead of {lead} in {n_votes} votes")
    least = (n_votes - abs(lead) + 1) / 2
    start, step = (0.5, 1 / math.pi) if least % 1 else (1.0, 0.25)
    for whole in range(round(least - start)):
        c = start + whole
        step *= (c + 0.5) / (c + 1)
    beyond = 0.0
    for ahead in range(abs(lead)):
        beyond += step
        a = least + ahead
        step *= (a + least) / (2 * (a + 1))
    return min(1.0, 0.5 + beyond) if lead >= 0 else max(0.0, 0.5 - beyond)
