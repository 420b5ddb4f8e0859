"""How Microsoft Graph and SharePoint are asked: one client, typed answers, batches."""
