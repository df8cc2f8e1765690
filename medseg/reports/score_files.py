"""Names of the files that an evaluation writes."""

__all__ = ["SCORE_FILES", "WORST_FILES"]

SCORE_FILES = ("scores.csv", "summary.csv", "scores.json", "scores.md", "instances.csv")
# Pictures of the worst cases, in a folder of their own: beside labels they would be taken for some.
WORST_FILES = ("worst_cases/1.png", "worst_cases/2.png", "worst_cases/3.png")
