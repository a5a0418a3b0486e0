//! How a receiver knows that a delivery comes from this server and is as it was sent.

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// The value of `X-Lglp-Signature`: `t=<unix seconds>,v1=<hex>`, where hex is the HMAC-SHA256 of `<unix seconds>.<body>`, by
/// the bytes of the secret's text. The time is signed too, so that an old delivery cannot be passed off as a new one.
pub(super) fn sign(secret: &str, unix_seconds: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(format!("{unix_seconds}.").as_bytes());
    mac.update(body);
    let digest: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
    format!("t={unix_seconds},v1={digest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Python's `hmac` and `openssl dgst -sha256 -hmac` give it.
    #[test]
    fn it_is_the_hmac_that_others_compute() {
        let signed = sign("secret", 1_700_000_000, b"{\"sequence\":1}");
        assert_eq!(
            signed,
            "t=1700000000,v1=18bc11772afaf484e0965986f207fe89db26cf0ae670f45fd508d1ab6fb23b5e"
        );
    }
}
