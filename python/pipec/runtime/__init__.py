"""Running a plan: what is a hit is restored, the rest is executed, all of it is recorded.

`run.run(request, services)` is the way in; `run.foresee(request, services)` says what it would do.
"""
