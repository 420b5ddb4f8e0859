"""Callers that are Amazon's own and not customers, and identity providers that anyone can be a customer of."""

# Accounts of Amazon's own, not of customers, from which services delivered before they had service principals. Old
# buckets still name them. Regions as of the last edition that lists them.
_LOAD_BALANCERS = """
127311923021 033677994240 027434742980 797873946194 098369216593 754344448648 589379963580 718504428378 383597477331
600734575887 114774131450 783225319266 582318560864 985666609251 054676820928 156460612806 652711504416 635631232127
009996457667 897822967062 076674570225 507241528517
048591011584 190560391635 638102146993 037604701340
"""
"""Elastic Load Balancing, "Enable access logs for your Application Load Balancer"; GovCloud and China at the end."""
_REDSHIFT = """
193672423079 391106570357 262260360010 902366379725 365689465814 313564881002 865932855811 090321488786 760740231472
361669875840 762762565011 404641285394 907379612154 053454850223 210876761215 307160386991 945612479654 915173422425
729911121831 013126148197 075028567923
665727464434 111890595117 660998842044
"""
"""Redshift Management Guide, "Database audit logging"; GovCloud and China at the end."""
_CLOUDTRAIL = """
086441151436 475085895292 388731089494 113285607260 525921808201 119688915426 977081816279 765225791966 492519147666
903692715234 284668455005 216624486486 819402241893 035351147821 859597730677 282025262664 669305197877 262312530599
829690693026 034638983726 814480443879
608710470296 193415116832 681348832753
"""
"""CloudTrail User Guide, "CloudTrail supported Regions"; GovCloud and China at the end."""
_BILLING = "386209384616"
"""AWS Billing User Guide, "Getting started", for usage reports."""
AMAZON_ACCOUNTS = frozenset(f"{_LOAD_BALANCERS} {_REDSHIFT} {_CLOUDTRAIL} {_BILLING}".split())
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
