# The role that cloudscan assumes to read how buckets are shared, in the account of the provider.
# For an organisation use ../stack-set.yaml, or call this module once for each account.

terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "AWS"
      identifiers = [var.scanner_arn]
    }

    condition {
      test     = "StringEquals"
      variable = "sts:ExternalId"
      values   = [var.external_id]
    }
  }
}

data "aws_iam_policy_document" "inventories" {
  statement {
    sid       = "CloudscanReadsInventories"
    actions   = ["s3:GetObject"]
    resources = var.inventory_arns
  }
}

resource "aws_iam_role" "cloudscan" {
  name                 = var.role_name
  description          = "Assumed by cloudscan; reads sharing settings, changes nothing"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  max_session_duration = 43200
}

resource "aws_iam_role_policy" "sharing" {
  name   = "reads-sharing"
  role   = aws_iam_role.cloudscan.id
  policy = file("${path.module}/../policy.json")
}

resource "aws_iam_role_policy" "inventories" {
  count = length(var.inventory_arns) > 0 ? 1 : 0

  name   = "reads-inventories"
  role   = aws_iam_role.cloudscan.id
  policy = data.aws_iam_policy_document.inventories.json
}
