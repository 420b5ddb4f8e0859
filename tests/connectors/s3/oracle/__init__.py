"""A second opinion on who gets in: AWS's policy semantics as formulas, answered by an SMT solver.

It shares nothing with the evaluator that it judges, neither code nor method: a bucket's policy becomes a formula over
the strings that a request carries, and z3 says whether any request satisfies it. Its sources are AWS's own pages (IAM
User Guide, "Policy evaluation logic", "Condition operators", "Creating a condition with multiple keys or values",
"AWS global condition context keys", "IAM policy elements: Variables and tags").

    texts.py            patterns as regular expressions over the solver's strings
    callers.py          what a caller's keys look like, and how they hang together
    formulas.py         statements and conditions as formulas over them
    questions.py        "may anybody do this", answered with a witness or a proof
    evaluate.py         one concrete request against a policy: every witness has to stand up to it
    random_policies.py  policies rich in patterns
    compare.py          the product's answers beside the oracle's
"""
