"""How AWS is asked: clients, what each question needs, inventories."""
