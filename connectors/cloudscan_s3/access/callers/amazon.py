"""Callers that are Amazon's own and not customers, and identity providers that anyone can be a customer of."""

# Log delivery accounts of the load balancers in older regions (Elastic Load Balancing, "Enable access logs for your
# Application Load Balancer"): Amazon's own, not customers.
AMAZON_ACCOUNTS = frozenset(
    [
        "127311923021",
        "033677994240",
        "027434742980",
        "797873946194",
        "098369216593",
        "754344448648",
        "589379963580",
        "718504428378",
        "383597477331",
        "600734575887",
        "114774131450",
        "783225319266",
        "582318560864",
        "985666609251",
        "054676820928",
        "156460612806",
        "652711504416",
        "635631232127",
        "009996457667",
        "897822967062",
        "076674570225",
        "507241528517",
        "048591011584",  # GovCloud, then China
        "190560391635",
        "638102146993",
        "037604701340",
    ]
)
# CloudFront's log delivery (CloudFront Developer Guide, "Configure standard logging (legacy)"), in the world and China.
AMAZON_CANONICAL = frozenset(
    (
        "c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0",
        "a52cb28745c0c06e84ec548334e44bfa7fc2a85c54af20cd59e4969344b7af56",
    )
)
# Anyone can become a customer of these and sign in through them; only the audience claim says whose customer.
PUBLIC_PROVIDERS = frozenset(
    ("cognito-identity.amazonaws.com", "www.amazon.com", "graph.facebook.com", "accounts.google.com", "*")
)
