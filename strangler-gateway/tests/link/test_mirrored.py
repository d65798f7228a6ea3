"""Frames of the channel to the comparator: there and back, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.link.codec import LinkError
from strangler.link.mirrored import Account, Batch, Mirrored, Opening, decode_frame, encode_frame

accounts = st.builds(
    Account,
    st.text(max_size=20),
    st.integers(0, 1 << 60),
    st.integers(0, 1 << 60),
    st.tuples(st.tuples(st.text(max_size=9), st.integers(0, 1 << 60))),
)
exchanges = st.builds(
    Mirrored,
    st.text(max_size=9),
    st.integers(0, 1 << 40),
    st.floats(0, 1e10),
    st.floats(0, 60),
    *(st.binary(max_size=300), st.binary(max_size=300)),
    st.just("10.0.0.1"),
    st.binary(max_size=20),
    st.just("127.0.0.1:80"),
    *(st.binary(max_size=300), st.binary(max_size=5_000), st.binary(max_size=50)),
)  # fmt: skip
batches = st.builds(
    Batch,
    st.lists(exchanges, max_size=4).map(tuple),
    st.lists(accounts, max_size=3).map(tuple),
    st.lists(exchanges, max_size=2).map(tuple),
)


@given(batches)
def test_a_batch_comes_back_as_it_was(batch: Batch) -> None:
    frame = encode_frame(batch)
    assert int.from_bytes(frame[:4]) == len(frame) - 4
    assert decode_frame(frame[4:]) == batch


def test_an_opening_comes_back_as_it_was() -> None:
    opening = Opening("ab12", 3, 4711, (Account("r", 2, 1, (("killed", 1),)),))
    assert decode_frame(encode_frame(opening)[4:]) == opening


@pytest.mark.parametrize("body", [b"", b"X", b"B", b"O\x00", b"B\x91", b"O" + encode_frame(Batch((), ()))[5:]])
def test_what_is_no_frame_is_refused(body: bytes) -> None:
    with pytest.raises(LinkError):
        decode_frame(body)
