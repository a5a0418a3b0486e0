//! How a receiver knows that a delivery comes from this server and is as it was sent.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// The value of `X-Lglp-Signature`: `t=<unix seconds>,v1=<hex>`, where hex is the HMAC-SHA256 of `<unix seconds>.<body>`, by
/// the bytes of the secret's text. The time is signed too, so that an old delivery cannot be passed off as a new one.
pub(super) fn sign(secret: &str, unix_seconds: i64, body: &[u8]) -> String {
    let digest = mac(secret, &format!("{unix_seconds}."), body);
    let digest: String = digest.iter().map(|b| format!("{b:02x}")).collect();
    format!("t={unix_seconds},v1={digest}")
}

/// The value of `Webhook-Signature` as Standard Webhooks has it (<https://www.standardwebhooks.com>): `v1,<base64>` of the HMAC-SHA256 of
/// `<id>.<unix seconds>.<body>`, by the same key. `id` is that of the message, and has no full stop.
pub(super) fn sign_message(secret: &str, id: &str, unix_seconds: i64, body: &[u8]) -> String {
    let digest = mac(secret, &format!("{id}.{unix_seconds}."), body);
    format!("v1,{}", STANDARD.encode(digest))
}

fn mac(secret: &str, before: &str, body: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(before.as_bytes());
    mac.update(body);
    mac.finalize().into_bytes().into()
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
