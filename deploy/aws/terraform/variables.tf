variable "scanner_arn" {
  description = "ARN of the role or user that scans"
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/.+$", var.scanner_arn))
    error_message = "scanner_arn is the ARN of an IAM role or user, not of a session."
  }
}

variable "external_id" {
  description = "As external_id in cloudscan.toml"
  type        = string
  sensitive   = true

  validation {
    condition     = length(var.external_id) >= 8
    error_message = "external_id has at least 8 characters."
  }
}

variable "role_name" {
  description = "As role_name in cloudscan.toml"
  type        = string
  default     = "cloudscan"
}

variable "inventory_arns" {
  description = "ARNs of the objects of inventory reports that may be read, such as arn:aws:s3:::reports/inventory/*"
  type        = list(string)
  default     = []
}
