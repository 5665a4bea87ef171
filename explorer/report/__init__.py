"""Write what is known of a store as a report: Markdown, HTML, figures and numbers, with the commands that make them."""
