//! How bytes travel to S3: TLS version, key exchange, the certificate's end, and a proxy.

use super::{Check, DoctorRequest, Name};
use crate::aws::Connection;
use crate::aws::probe::Probe;
use crate::aws::timestamp::rfc3339_of_seconds;
use crate::aws::tls_session::TlsSession;
use crate::aws::transport::Transport;
use crate::encryption::ServerSide;
use crate::limits::CERTIFICATE_END_NOTED;

const DAY: i64 = 24 * 3600;

pub(super) fn checks(connection: &Connection, request: &DoctorRequest) -> Vec<Check> {
    let sends_keys = !request.opening.customer_keys.is_empty()
        || request.server_side().and_then(ServerSide::customer_key).is_some();
    let mut checks = match connection.transport() {
        Some(Transport { tls: None, .. }) if sends_keys && let Err(error) = connection.carries_keys() => {
            vec![Check::error(Name::Tls, error)]
        }
        Some(Transport { tls: Some(Probe::Known(session)), .. }) => of_tls(&session, connection.server_now()),
        Some(Transport { tls: None, .. }) => {
            vec![Check::warning(Name::Tls, "none: plain http, which anybody on the way can read and change")]
        }
        Some(Transport { tls: Some(Probe::Unavailable(why)), .. }) => {
            vec![Check::warning(Name::Tls, format!("not seen: {why}"))]
        }
        Some(Transport { tls: Some(Probe::AccessDenied(_)), .. }) | None => {
            vec![Check::warning(Name::Tls, "not seen")]
        }
    };
    checks.push(match connection.proxy() {
        None => Check::ok(Name::Proxy, "none"),
        Some(proxy) => Check::warning(
            Name::Proxy,
            format!("{proxy}: it may limit the size and the time of requests, and hides the server's TLS"),
        ),
    });
    checks
}

fn of_tls(session: &TlsSession, now: i64) -> Vec<Check> {
    let tls = format!("{}, {}", session.version, session.cipher);
    let exchange = match &session.key_exchange {
        Some(name) if name.contains("MLKEM") => Check::ok(Name::KeyExchange, format!("{name}, post-quantum")),
        Some(name) => Check::warning(
            Name::KeyExchange,
            format!(
                "{name}, not post-quantum: who records the connection can read it with a quantum computer one day"
            ),
        ),
        None => Check::warning(Name::KeyExchange, "not known"),
    };
    vec![Check::ok(Name::Tls, tls), exchange, certificate(session, now)]
}

fn certificate(session: &TlsSession, now: i64) -> Check {
    let name = Name::Certificate;
    let issuer = session.issuer.as_ref().map_or_else(String::new, |issuer| format!(", issued by {issuer}"));
    let Some(end) = session.valid_until else {
        return Check::warning(name, format!("its end is not known{issuer}"));
    };
    let until = rfc3339_of_seconds(end).unwrap_or_else(|| "an unknown time".to_owned());
    let left = end - now;
    if left < i64::try_from(CERTIFICATE_END_NOTED.as_secs()).unwrap_or(i64::MAX) {
        let days = match left / DAY {
            1 => "1 day".to_owned(),
            days => format!("{days} days"),
        };
        Check::warning(name, format!("expires in {days}, at {until}{issuer}"))
    } else {
        Check::ok(name, format!("valid until {until}{issuer}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::State;

    fn session(key_exchange: &str, valid_until: i64) -> TlsSession {
        TlsSession {
            version: "TLS 1.3".to_owned(),
            cipher: "TLS_AES_256_GCM_SHA384".to_owned(),
            key_exchange: Some(key_exchange.to_owned()),
            issuer: None,
            valid_until: Some(valid_until),
        }
    }

    #[test]
    fn a_key_exchange_of_before_quantum_computers_and_a_certificate_that_ends_soon_are_worth_a_look() {
        let states = |key_exchange, days: i64| {
            let checks = of_tls(&session(key_exchange, days * DAY), 0);
            let is_ok = checks.iter().map(|check| matches!(check.state, State::Ok));
            is_ok.collect::<Vec<_>>()
        };
        assert_eq!(states("X25519MLKEM768", 30), [true, true, true]);
        assert_eq!(states("X25519", 13), [true, false, false]);
    }
}
