//! The controller on simulated links, against the best fixed number of requests.
//!
//! A link has a round trip, a rate for each connection and one for all of them. A connection opens in three round trips,
//! doubles what it has in flight in each further one, and waits a round trip for each range. The clock is a counter.

use std::time::Duration;

use super::controller::{Controller, Epoch};
use crate::defaults::{JOBS_AT_START, MAX_JOBS};

const MB: f64 = 1e6;
/// Bytes of a range.
const RANGE: f64 = 8.0 * 1024.0 * 1024.0;
/// Bytes that a new connection may have in flight.
const FIRST_WINDOW: f64 = 14_600.0;
/// How long a refused request waits until it is sent again.
const BACKOFF: f64 = 1.0;

#[derive(Clone, Copy)]
struct Link {
    name: &'static str,
    round_trip: f64,
    /// Bytes a second of one connection.
    each: f64,
    /// Bytes a second of all of them.
    all: f64,
    /// The requests that the service takes at once; it refuses more.
    taken: usize,
    /// The share of the best fixed number's rate that must be reached.
    enough: f64,
}

const LINKS: [Link; 9] = [
    link("1 Gbit/s, 40 ms, 8 MB/s each", 0.040, 8.0, 125.0, 0.95),
    link("1 Gbit/s, 100 ms, 3 MB/s each", 0.100, 3.0, 125.0, 0.95),
    link("1 Gbit/s, 10 ms, 40 MB/s each", 0.010, 40.0, 125.0, 0.95),
    link("1 Gbit/s, 200 ms, 2 MB/s each", 0.200, 2.0, 125.0, 0.95),
    link("4 Gbit/s, 40 ms, 8 MB/s each", 0.040, 8.0, 500.0, 0.95),
    link("25 Gbit/s, 1 ms, 90 MB/s each", 0.001, 90.0, 3125.0, 0.95),
    link("25 Gbit/s, 20 ms, 20 MB/s each", 0.020, 20.0, 3125.0, 0.74),
    link("20 Mbit/s, 30 ms", 0.030, 2.5, 2.5, 0.95),
    Link { taken: 20, ..link("a service that takes 20 at once", 0.020, 20.0, 3125.0, 0.6) },
];

const fn link(name: &'static str, round_trip: f64, each: f64, all: f64, enough: f64) -> Link {
    Link { name, round_trip, each: each * MB, all: all * MB, taken: usize::MAX, enough }
}

/// A connection: what it waits for, what is to come of its range, and how much it may have in flight.
struct Connection {
    waits: f64,
    rest: f64,
    window: f64,
}

/// How many requests there may be.
enum Limit {
    Fixed(usize),
    Adaptive(Controller),
}

/// Runs a transfer for so many seconds, and returns its bytes a second.
fn rate(link: &Link, mut limit: Limit, seconds: f64) -> f64 {
    let tick = (link.round_trip / 4.0).clamp(0.001, 0.010);
    let epoch = Controller::epoch(Duration::from_secs_f64(link.round_trip)).as_secs_f64();
    let mut allowed = match &limit {
        Limit::Fixed(number) => *number,
        Limit::Adaptive(_) => JOBS_AT_START.get(),
    };
    let mut connections: Vec<Connection> = Vec::new();
    let (mut now, mut moved, mut epoch_began, mut moved_before, mut is_refused) = (0.0, 0.0, 0.0, 0.0, false);
    while now < seconds {
        // A connection above the limit ends with its range.
        while connections.len() < allowed {
            connections.push(Connection { waits: 4.0 * link.round_trip, rest: RANGE, window: FIRST_WINDOW });
        }
        let refused = connections.len().saturating_sub(link.taken);
        if refused > 0 {
            is_refused = true;
            for connection in connections.iter_mut().rev().take(refused).filter(|c| c.waits <= 0.0) {
                connection.waits = BACKOFF;
            }
        }
        let wanted = |c: &Connection| {
            if c.waits > 0.0 { 0.0 } else { link.each.min(c.window / link.round_trip) }
        };
        let sum: f64 = connections.iter().map(wanted).sum();
        let share = (link.all / sum.max(1.0)).min(1.0);
        for connection in &mut connections {
            let bytes = (wanted(connection) * share * tick).min(connection.rest);
            if connection.waits > 0.0 {
                connection.waits -= tick;
                continue;
            }
            connection.window = (connection.window * (1.0 + tick / link.round_trip)).min(link.each);
            connection.rest -= bytes;
            moved += bytes;
        }
        let mut surplus = connections.len().saturating_sub(allowed);
        connections.retain_mut(|connection| {
            if connection.rest > 0.0 {
                return true;
            }
            (connection.rest, connection.waits) = (RANGE, link.round_trip);
            let stays = surplus == 0;
            surplus = surplus.saturating_sub(1);
            stays
        });
        now += tick;
        if let Limit::Adaptive(controller) = &mut limit
            && now - epoch_began >= epoch
        {
            let seen = if is_refused {
                Epoch::Overloaded
            } else {
                Epoch::Full((moved - moved_before) / (now - epoch_began))
            };
            allowed = controller.observe(seen);
            (epoch_began, moved_before, is_refused) = (now, moved, false);
        }
    }
    moved / seconds
}

#[test]
fn on_each_link_it_reaches_nearly_what_the_best_fixed_number_does() {
    for link in &LINKS {
        let seconds = 60.0;
        let best = [4, 8, 16, 20, 32, 48, 64]
            .map(|number| rate(link, Limit::Fixed(number), seconds))
            .into_iter()
            .fold(0.0, f64::max);
        let controller = Controller::new(JOBS_AT_START.get(), MAX_JOBS.get());
        let share = rate(link, Limit::Adaptive(controller), seconds) / best;
        println!("{}: {share:.3} of {:.0} MB/s", link.name, best / MB);
        assert!(share >= link.enough, "{}: {share:.3} of {:.0} MB/s", link.name, best / MB);
    }
}
