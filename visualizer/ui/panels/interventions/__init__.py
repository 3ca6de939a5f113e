"""The interventions panel and its parts."""
