"""Microsoft 365: SharePoint, OneDrive, Teams and the directory behind them, and who has access."""
