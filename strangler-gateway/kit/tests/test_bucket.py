"""The kit's arithmetic: its published vectors, and Appleby's own check of the hash."""

from strangler_kit.bucket import bucket, murmur3_32, vectors


def test_the_published_vectors_hold() -> None:
    rows = vectors()
    assert len(rows) == 72
    assert [(group, subject, bucket(group, subject)) for group, subject, _ in rows] == rows


def test_the_hash_passes_known_answers() -> None:
    known = {
        b"": 0,
        b"test": 0xBA6BD213,
        b"Hello, world!": 0xC0363E43,
        b"\xff\xff\xff\xff": 0x76293B50,
        b"\0": 0x514E28B7,
    }
    assert {data: murmur3_32(data) for data in known} == known
