"""Agreement: how far judges say the same, and how sure that is. Numbers in, numbers out.

    bootstrap     an interval for any statistic, by resampling whole prompts
    wilson        how low a share may be that was seen to be so high
    krippendorff  alpha: any number of raters, any scale, gaps allowed
    kappa         Cohen's (two raters), Fleiss' (several), corrected for chance
    icc           intraclass correlations of scores
    posterior     what votes make believe about a preference

What is undefined (one rater, no variation) is None, never 0 and never NaN.
"""
