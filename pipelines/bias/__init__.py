"""Bias: what a judge looks at beside the quality of answers, measured from what it said.

    judged           what is measured: the answers and judgments of a version, ids as numbers
    figure           an estimate with its interval and what it rests on
    duels            every two answers to a prompt, as one judge sees them
    position         does it favour what is shown first?
    length           does it favour the longer answer?    traits: how both are measured
    markdown         does it favour structure?
    self_preference  does it favour its own family of models?   family: which that is
    list_position    does a place in a list of answers decide?
    distribution     does it tell answers apart at all?
    reading          could it be read, did it refuse?
    panel            what judges say of the same answers
    annotators       what the people behind one judge's name say of the same answers
    profile          all of it for one judge            alarms: what of it is alarming
    report           profiles of several judges, and how they agree
    notes            the main figures, for a manifest   words: how they are called
    length_control   a score without what length explains of it

A figure that is undefined is None, never 0 and never NaN.
"""
