"""What is measured on counts: test statistic, flux, position error."""
