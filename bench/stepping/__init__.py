"""`bench stepping`: experiments stepped a second (`stepping`), prepared as `data`, over a store that is `counted`."""
