"""How Microsoft Graph and SharePoint are queried: one client, typed answers, batches."""
