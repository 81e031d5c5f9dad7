//! A protobuf message in the making.

use protobuf3::CodedOutputStream;

/// The fields of a message, encoded; numbers of fields are those of its description.
#[derive(Default)]
pub(super) struct Message(Vec<u8>);

impl Message {
    pub(super) fn int(self, field: u32, value: i64) -> Self {
        self.with(|out| out.write_int64(field, value))
    }

    pub(super) fn float(self, field: u32, value: f32) -> Self {
        self.with(|out| out.write_float(field, value))
    }

    pub(super) fn text(self, field: u32, text: &str) -> Self {
        self.with(|out| out.write_string(field, text))
    }

    pub(super) fn bytes(self, field: u32, bytes: &[u8]) -> Self {
        self.with(|out| out.write_bytes(field, bytes))
    }

    pub(super) fn message(self, field: u32, message: &Self) -> Self {
        self.bytes(field, &message.0)
    }

    /// One field for each of them.
    pub(super) fn messages<'a>(self, field: u32, messages: impl IntoIterator<Item = &'a Self>) -> Self {
        messages.into_iter().fold(self, |whole, part| whole.message(field, part))
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn with(mut self, write: impl FnOnce(&mut CodedOutputStream<'_>) -> protobuf3::Result<()>) -> Self {
        let mut out = CodedOutputStream::vec(&mut self.0);
        write(&mut out).and_then(|()| out.flush()).expect("a vector takes what it is given");
        drop(out);
        self
    }
}
