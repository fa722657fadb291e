"""The answering half: pages, JSON, webhooks, live updates."""
