"""Which route and which arm: matcher, subject, bucket, evaluator; pure."""
