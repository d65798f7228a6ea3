"""Which route and which arm: matcher, subject, bucket, evaluator; pure."""

from strangler.routing.bucket import bucket
from strangler.routing.explain import AmbiguousPath, Explanation, explain

__all__ = ["AmbiguousPath", "Explanation", "bucket", "explain"]
