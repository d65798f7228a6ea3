"""Frame borders are found wherever the stream is cut, and nothing that is no frame is taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from strangler.http1.frames import FrameBorders, close_frame

sizes = st.one_of(st.integers(0, 130), st.sampled_from([65_535, 65_536, 70_000]))
frames = st.builds(
    lambda opcode, size, whole, masked: Frame(opcode, b"\xff" * size, fin=whole).serialize(mask=masked),
    st.sampled_from([Opcode.CONT, Opcode.TEXT, Opcode.BINARY]),
    sizes,
    st.booleans(),
    st.booleans(),
)


@given(st.lists(frames, max_size=5), st.lists(st.integers(1, 70_000), max_size=20))
def test_a_border_is_where_a_frame_ends_however_the_stream_is_cut(stream: list[bytes], cuts: list[int]) -> None:
    borders = FrameBorders()
    ends = {0}
    for frame in stream:
        ends.add(max(ends) + len(frame))
    data, position = b"".join(stream), 0
    for cut in [*cuts, len(data)]:
        piece = data[position : position + cut]
        borders.follow(piece)
        position += len(piece)
        assert borders.between is (position in ends)
    assert not borders.lost
    assert not borders.closed


@given(st.lists(frames, min_size=1, max_size=4), st.integers(0, 200_000))
def test_following_to_a_border_stops_at_the_first_one(stream: list[bytes], start: int) -> None:
    data = b"".join(stream)
    start = min(start, len(data) - 1)
    borders = FrameBorders()
    borders.follow(data[:start])
    end = start + borders.follow_to_border(data[start:])
    ends = [sum(map(len, stream[: number + 1])) for number in range(len(stream))]
    assert end == next(place for place in ends if place > start)
    assert borders.between


@pytest.mark.parametrize("cut", range(1, 4))
def test_a_close_frame_is_noticed_with_its_head(cut: int) -> None:
    borders = FrameBorders()
    frame = close_frame(1001)
    assert frame == Frame(Opcode.CLOSE, (1001).to_bytes(2)).serialize(mask=False)
    borders.follow(frame[:cut])
    assert (borders.closed, borders.between) == (cut >= 2, False)
    borders.follow(frame[cut:])
    assert (borders.closed, borders.between) == (True, True)


@pytest.mark.parametrize(
    "senseless",
    [
        b"\x82\x7f" + b"\xff" * 8,  # a length of 64 bits
        b"\x88\x7e\x00\x7e",  # a long Close
        b"\x09\x00",  # a Ping in pieces
    ],
)
def test_what_is_no_frame_is_lost_and_stays_so(senseless: bytes) -> None:
    borders = FrameBorders()
    borders.follow(senseless)
    borders.follow(b"\x82\x00")
    assert (borders.lost, borders.between) == (True, False)
