"""SharePoint and OneDrive from files of Microsoft Graph Data Connect, without a request for each site or item."""
