//! What a caller said out of turn: it is heard once the person answered.

use std::collections::VecDeque;

use tokio_tungstenite::tungstenite::Message as Frame;

/// Messages in their order. `bytes` is what all of them take.
#[derive(Debug, Default)]
pub(super) struct Early {
    frames: VecDeque<Frame>,
    bytes: usize,
}

impl Early {
    /// Whether there may be one more, whatever it takes: what they take is less than `bytes_max` yet.
    pub(super) fn has_room(&self, bytes_max: usize) -> bool {
        self.bytes < bytes_max
    }

    pub(super) fn push(&mut self, frame: Frame) {
        self.bytes += cost(&frame);
        self.frames.push_back(frame);
    }

    pub(super) fn pop(&mut self) -> Option<Frame> {
        let frame = self.frames.pop_front()?;
        self.bytes -= cost(&frame);
        Some(frame)
    }
}

/// An empty one takes some, too.
fn cost(frame: &Frame) -> usize {
    size_of::<Frame>() + frame.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_without_a_byte_take_room_too() {
        let mut early = Early::default();
        let mut count = 0;
        while early.has_room(1_000) {
            early.push(Frame::text(""));
            count += 1;
        }
        assert!(count <= 1_000 / size_of::<Frame>() + 1, "{count}");
        while early.pop().is_some() {}
        assert!(early.has_room(1));
    }
}
