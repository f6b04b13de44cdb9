//! What a certificate says of itself: its issuer and its end. To be shown, never to decide by: it has been verified by
//! then.

use x509_cert::Certificate;
use x509_cert::der::Decode;

/// Returns the issuer: common name, organisation, unit.
pub(super) fn issuer(certificate: &[u8]) -> Option<String> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let name = certificate.tbs_certificate().issuer();
    let parts = [name.common_name(), name.organization(), name.organization_unit()];
    let shown: Vec<String> = parts.into_iter().filter_map(|part| part.ok()?.map(String::from)).collect();
    (!shown.is_empty()).then(|| shown.join(", "))
}

/// Returns when it expires, in seconds since 1970.
pub(super) fn valid_until(certificate: &[u8]) -> Option<i64> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let end = certificate.tbs_certificate().validity().not_after.to_unix_duration().as_secs();
    i64::try_from(end).ok()
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, Engine};

    use super::*;

    /// A certificate of X.509 version 1, issued by C=US, O=Amazon, CN=Amazon RSA 2048 M01 (made by openssl).
    const VERSION_1: &str = "\
         MIIBQzCB6QIUW1doPvxcMmo2WJX4+fgq2Jshak4wCgYIKoZIzj0EAwIwPDELMAkGA1UEBhMCVVMxDzANBgNVBAoMBkFtYXpvbjEc\
         MBoGA1UEAwwTQW1hem9uIFJTQSAyMDQ4IE0wMTAeFw0yNjExMjYxNzA0MjJaFw0yNzExMjYxNzA0MjJaMAwxCjAIBgNVBAMMAXgw\
         WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARzH1Xn5zfqbkyPDtUtx1nwLAFPfrohKlUpyIWNEH9zDbK3luqRO0DsWkSaR1oRfTvi\
         JuQNl5G0EqZChD6U0ikkMAoGCCqGSM49BAMCA0kAMEYCIQCIP2BMLanou3hpbKN4uNF8QNM8jLOmOd031dNSZWbayAIhALwWC6y8\
         QYNrlHdY2OWnAWiGTaifEa+THb3/HmNwkRT+";

    /// The same issuer's own, of version 3.
    const VERSION_3: &str = "\
         MIIBzjCCAXOgAwIBAgIURoI3MZ9tMpTiS2Hff9tAwgt8+H8wCgYIKoZIzj0EAwIwPDELMAkGA1UEBhMCVVMxDzANBgNVBAoMBkFt\
         YXpvbjEcMBoGA1UEAwwTQW1hem9uIFJTQSAyMDQ4IE0wMTAeFw0yNjExMjYxNzA0MjJaFw0zNjExMjMxNzA0MjJaMDwxCzAJBgNV\
         BAYTAlVTMQ8wDQYDVQQKDAZBbWF6b24xHDAaBgNVBAMME0FtYXpvbiBSU0EgMjA0OCBNMDEwWTATBgcqhkjOPQIBBggqhkjOPQMB\
         BwNCAAQbJ/Et33gO4sAKiyPYm4TNSItRMrn9Lb5QqUTwxZwwOH6Aq8VjIxO/acVvJpGs1v+zGNHjx4usEYArPhWBcf0Go1MwUTAd\
         BgNVHQ4EFgQUs/dkMOhz7QE/eNGb0YdFfm8EbVgwHwYDVR0jBBgwFoAUs/dkMOhz7QE/eNGb0YdFfm8EbVgwDwYDVR0TAQH/BAUw\
         AwEB/zAKBggqhkjOPQQDAgNJADBGAiEAjGDj28uiyNnwKRtWinAxTxqxVnh6hfKT5JoQsvAVJrkCIQDDH9tE2CBpTXFS/SX7kQ9L\
         EvhO4NA7r34RkrdaB4wc8w==";

    #[test]
    fn the_issuer_and_the_end_are_found() {
        // 2027-11-26T17:04:22Z and 2036-11-23T17:04:22Z, as openssl says.
        for (certificate, end) in [(VERSION_1, 1_827_248_662), (VERSION_3, 2_111_072_662)] {
            let certificate = BASE64_STANDARD.decode(certificate).unwrap();
            assert_eq!(valid_until(&certificate), Some(end));
            assert_eq!(issuer(&certificate).as_deref(), Some("Amazon RSA 2048 M01, Amazon"));
        }
    }

    #[test]
    fn a_broken_certificate_is_none_and_no_panic() {
        let whole = BASE64_STANDARD.decode(VERSION_3).unwrap();
        for cut in 0..whole.len() {
            assert_eq!((issuer(&whole[..cut]), valid_until(&whole[..cut])), (None, None), "{cut}");
        }
        for place in 0..whole.len() {
            let mut changed = whole.clone();
            changed[place] ^= 0xff;
            let _ = (issuer(&changed), valid_until(&changed));
        }
    }
}
