output "role_arn" {
  description = "For accounts in cloudscan.toml, where there is no organisation"
  value       = aws_iam_role.cloudscan.arn
}
