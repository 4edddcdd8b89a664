"""Reports, comparisons and trends as pages and pictures to look at."""
