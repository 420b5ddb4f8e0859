"""Google Drive from Google's inventory export to BigQuery, without a request for each file."""
