//! How a record lies in the database: as its JSON where that is short, otherwise packed by zstd.
//!
//! sled 0.34 keeps in memory whatever was read or written last, whatever its cache is allowed: it looks for what to drop
//! only after 64 accesses in each of 256 parts, and a page of it has up to 16 records. Packed, a measurement takes a
//! quarter of its JSON, there and on disk.
//!
//! Records are alike, and too short to tell zstd so. A dictionary of one record of each kind does: without it a measurement
//! takes three quarters more.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::{LazyLock, Mutex, PoisonError};

use sled::IVec;
use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};
use zstd::zstd_safe::get_frame_content_size;

use crate::{Error, Result};

/// What a packed record begins with, as no JSON does. It names the dictionary, too: another one gets another mark, and this
/// one is read for ever.
const MARK: u8 = 1;
const DICTIONARY: &[u8] = include_bytes!("packing.dict");

/// zstd's own default.
const LEVEL: i32 = 3;

/// JSON that is shorter is not worth it, in bytes.
const SHORT: usize = 128;

/// JSON that is longer stays as it is, and a packed record that claims to be longer is damaged, in bytes: it is memory that
/// is taken before anything was read.
const LONG: usize = 64 << 20;

/// A record's JSON as it is to lie in the database.
pub(crate) fn pack(json: &[u8]) -> Cow<'_, [u8]> {
    static COMPRESSOR: LazyLock<Mutex<Compressor<'static>>> = LazyLock::new(|| {
        static PREPARED: LazyLock<EncoderDictionary<'static>> =
            LazyLock::new(|| EncoderDictionary::copy(DICTIONARY, LEVEL));
        Mutex::new(Compressor::with_prepared_dictionary(&PREPARED).expect("memory for a compressor"))
    });
    if !(SHORT..=LONG).contains(&json.len()) {
        return json.into();
    }
    // Writers take turns anyway.
    let mut compressor = COMPRESSOR.lock().unwrap_or_else(PoisonError::into_inner);
    match compressor.compress(json) {
        Ok(frame) if frame.len() + 1 < json.len() => {
            let mut packed = vec![MARK];
            packed.extend_from_slice(&frame);
            packed.into()
        }
        _ => json.into(),
    }
}

/// A record as it lies in the database.
#[derive(Clone)]
pub(crate) struct Packed(IVec);

impl Packed {
    pub(crate) fn new(bytes: IVec) -> Self {
        Self(bytes)
    }

    /// The record's JSON. `key` is the record's.
    ///
    /// # Errors
    /// [`Error::CorruptRecord`] where it cannot be unpacked; what is no JSON is for the reader to notice.
    pub(crate) fn json(&self, key: &str) -> Result<Cow<'_, [u8]>> {
        unpack(&self.0).map_err(|reason| Error::CorruptRecord {
            key: key.to_owned(),
            reason,
        })
    }

    /// Bytes of the record's JSON, as far as it can be told without unpacking.
    pub(crate) fn json_bytes(&self) -> usize {
        match self.0.split_first() {
            Some((&MARK, frame)) => content_bytes(frame).unwrap_or(0),
            _ => self.0.len(),
        }
    }
}

/// The JSON of a record that lies in the database as `bytes`: for whoever opens `<dir>/db` with sled itself.
///
/// # Errors
/// A sentence about what is wrong with `bytes`.
pub fn unpack(bytes: &[u8]) -> std::result::Result<Cow<'_, [u8]>, String> {
    thread_local! {
        static DECOMPRESSOR: RefCell<Decompressor<'static>> = {
            static PREPARED: LazyLock<DecoderDictionary<'static>> =
                LazyLock::new(|| DecoderDictionary::copy(DICTIONARY));
            RefCell::new(Decompressor::with_prepared_dictionary(&PREPARED).expect("memory for a decompressor"))
        };
    }
    let Some((&MARK, frame)) = bytes.split_first() else {
        return Ok(bytes.into());
    };
    let length = content_bytes(frame).ok_or("it is packed, and its length is missing or absurd")?;
    let unpacked = DECOMPRESSOR.with_borrow_mut(|decompressor| decompressor.decompress(frame, length));
    unpacked
        .map(Cow::Owned)
        .map_err(|error| format!("it cannot be unpacked: {error}"))
}

/// Bytes of what a frame holds, where it tells and the figure is one that [`pack`] writes.
fn content_bytes(frame: &[u8]) -> Option<usize> {
    let bytes = get_frame_content_size(frame).ok()??;
    usize::try_from(bytes).ok().filter(|bytes| *bytes <= LONG)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Digest;

    #[test]
    fn what_was_packed_is_unpacked_to_the_byte() {
        let long = format!("[{}]", "1234567.891,".repeat(100_000));
        let random: Vec<u8> = (0..4000_u32)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8 | 2)
            .collect();
        for json in [&b""[..], b"1", b"{}", long.as_bytes(), &random, DICTIONARY] {
            let packed = pack(json);
            assert!(packed.len() <= json.len());
            assert_eq!(&*unpack(&packed).unwrap(), json);
            let packed = Packed::new(packed.into_owned().into());
            assert_eq!(packed.json_bytes(), json.len());
        }
    }

    /// Whoever changes the dictionary can no longer read what was packed with it.
    #[test]
    fn the_dictionary_is_the_one_that_registries_were_packed_with() {
        let digest = Digest::of(DICTIONARY);
        assert_eq!(
            digest.as_str(),
            "sha256:aa869ca6f4f9efc0d37cee27ab9294de70184a9399304a21d2124f37dc41f272"
        );
    }

    #[test]
    fn damage_is_told_whatever_it_is() {
        let json = br#"{"architecture":"mobilenetv3@160","digest":"sha256:00","drift":false,"flags":[],"hardware":"cpu","latency_ms":1.25,"load_average":0.5}"#;
        let packed = pack(json);
        assert_eq!(packed[0], MARK);
        for at in 1..packed.len() {
            assert!(unpack(&packed[..at]).is_err(), "cut at {at}");
            for bit in 0..8 {
                let mut damaged = packed.to_vec();
                damaged[at] ^= 1 << bit;
                // Some bits change the text alone, as they would in JSON; no length of it is believed.
                if let Ok(text) = unpack(&damaged) {
                    assert!(text.len() <= LONG);
                }
            }
        }
        // A frame that claims a terabyte.
        let absurd = [MARK, 0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0];
        assert!(unpack(&absurd).unwrap_err().contains("absurd"));
    }
}
