"""What watches an environment: alerts, the pages that they lead to, dashboards."""
