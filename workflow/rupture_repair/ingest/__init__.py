"""From the files of a dataset to tables with fixed columns, with every problem reported."""
