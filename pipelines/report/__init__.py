"""The report of a version: what a build came to, as one page and as SQL views of the same numbers.

estimates      one row of `figures`, from an estimate with its interval
pair_figures   what the published pairs are like
judge_figures  what the judges look at, and how they agree
figures        all of them, for the manifest; `[gates]` hold a build against them
tables         the version's tables and views, as `pairwright sql` has them
charts, draw   drawings: Vega-Lite, rendered to SVG once, with colours that the page sets
sections       each figure: a title, a sentence, a query of a view, a drawing
page           the HTML
"""
