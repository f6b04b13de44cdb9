//! The issuer's name in a certificate. To be shown, never to decide by: the certificate has been verified by then.

use x509_cert::Certificate;
use x509_cert::der::Decode;

/// Returns the issuer: common name, organisation, unit.
pub(super) fn of(certificate: &[u8]) -> Option<String> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let name = certificate.tbs_certificate().issuer();
    let parts = [name.common_name(), name.organization(), name.organization_unit()];
    let shown: Vec<String> = parts.into_iter().filter_map(|part| part.ok()?.map(String::from)).collect();
    (!shown.is_empty()).then(|| shown.join(", "))
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
    fn the_issuer_is_found() {
        for certificate in [VERSION_1, VERSION_3] {
            let certificate = BASE64_STANDARD.decode(certificate).unwrap();
            assert_eq!(of(&certificate).as_deref(), Some("Amazon RSA 2048 M01, Amazon"));
        }
    }

    #[test]
    fn a_broken_certificate_is_none_and_no_panic() {
        let whole = BASE64_STANDARD.decode(VERSION_3).unwrap();
        for cut in 0..whole.len() {
            assert_eq!(of(&whole[..cut]), None, "{cut}");
        }
        for place in 0..whole.len() {
            let mut changed = whole.clone();
            changed[place] ^= 0xff;
            let _ = of(&changed);
        }
    }
}
