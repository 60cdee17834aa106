"""The wing where networks are trained, and one from elsewhere is asked what it was trained for.

loss        what is descended: the error of the noise, and which times count how much
run         settings, the state of a run, its steps
store       what it leaves on disk: the state, the loss curve, the weights
__main__    `python -m ddim_lib.train digits`
classifier  `python -m ddim_lib.train.classifier`, the judge of the digits
mismatch    what does a network predict, and how does it count time? (`diagnose`)
"""
