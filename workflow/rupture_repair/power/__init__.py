"""How many courses a study needs: simulated from ratings through detection to the test.

A study is simulated (docs/simulate.md) with a planted effect of the **true** states of its
sessions, and analysed as real data are: ratings, detection, exposure, model, claim. Misses and
false alarms of the criterion reduce power. Each simulated study is also analysed with its true
states; the difference between the two is the power lost to detection.
"""
