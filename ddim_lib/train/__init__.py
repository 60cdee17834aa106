"""The wing where the networks are trained.

loss        what is descended: the error of the noise, and which times count how much
run         settings, the state of a run, its steps
store       what it leaves on disk: the state, the loss curve, the weights
__main__    `python -m ddim_lib.train digits`
classifier  `python -m ddim_lib.train.classifier`, the judge of the digits
"""
