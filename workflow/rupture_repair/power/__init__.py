"""How many courses a study needs: simulated from ratings through detection to the test.

A study is simulated (docs/simulate.md) with a planted effect of the **true** states of its
sessions, and analysed as real data are: ratings, criterion, exposure, model. What the criterion
misses and what it takes for a rupture without there being one is therefore part of the loss of
power. Beside it each study is analysed with its true states, which shows how large this loss is.
"""
