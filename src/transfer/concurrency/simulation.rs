//! The controller on simulated links, against the best fixed number of requests.
//!
//! A link has a round trip, a rate for each connection and one for all of them. A connection opens in three round trips,
//! and doubles what it has in flight in each further one. A download waits a round trip for its range; an upload waits one
//! for its answer, and disappears into buffers first, as fast as they take it. The clock is a counter.

use std::time::Duration;

use super::controller::{Controller, Observation, Progress};
use crate::defaults::{JOBS_AT_START, MAX_JOBS, UPLOAD_JOBS_AT_START_FAR};
use crate::limits::{BRISK_BYTES, BRISK_TIME, CONCURRENCY_FAR, CONCURRENCY_TICK};
use crate::transfer::plan::{Remaining, range_into_file};

const MB: f64 = 1e6;
const MIB: u64 = 1 << 20;
const PART: u64 = 8 * MIB;
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
}

const LINKS: [Link; 9] = [
    link("1 Gbit/s, 40 ms, 8 MB/s each", 0.040, 8.0, 125.0),
    link("1 Gbit/s, 100 ms, 3 MB/s each", 0.100, 3.0, 125.0),
    link("1 Gbit/s, 10 ms, 40 MB/s each", 0.010, 40.0, 125.0),
    link("1 Gbit/s, 200 ms, 2 MB/s each", 0.200, 2.0, 125.0),
    link("4 Gbit/s, 40 ms, 8 MB/s each", 0.040, 8.0, 500.0),
    link("25 Gbit/s, 1 ms, 90 MB/s each", 0.001, 90.0, 3125.0),
    link("25 Gbit/s, 20 ms, 20 MB/s each", 0.020, 20.0, 3125.0),
    link("20 Mbit/s, 30 ms", 0.030, 2.5, 2.5),
    Link { taken: 20, ..link("a service that takes 20 at once", 0.020, 20.0, 3125.0) },
];

const fn link(name: &'static str, round_trip: f64, each: f64, all: f64) -> Link {
    Link { name, round_trip, each: each * MB, all: all * MB, taken: usize::MAX }
}

#[derive(Clone, Copy, Debug)]
enum Transfer {
    Download,
    /// The buffers of each connection take so many bytes at once.
    Upload {
        buffers: f64,
    },
}

#[derive(Default)]
struct Connection {
    /// Seconds until something happens.
    waits: f64,
    len: f64,
    rest: f64,
    /// Since when its bytes move.
    since: f64,
    is_busy: bool,
    is_known: bool,
    window: f64,
}

struct Simulation {
    link: Link,
    transfer: Transfer,
    remaining: Remaining,
    bytes: u64,
    /// The most requests that there may ever be.
    ceiling: usize,
    connections: Vec<Connection>,
    now: f64,
    /// Seconds, bytes and requests so far.
    progress: Progress,
    all_begun: bool,
}

impl Simulation {
    fn new(link: Link, transfer: Transfer, bytes: u64, ceiling: usize) -> Self {
        Self {
            link,
            transfer,
            remaining: Remaining::new(0..bytes, []),
            bytes,
            ceiling,
            connections: Vec::new(),
            now: 0.0,
            progress: Progress::default(),
            all_begun: false,
        }
    }

    /// Bytes of a range of a download.
    fn range(&self, allowed: usize) -> u64 {
        let is_far = self.link.round_trip >= CONCURRENCY_FAR.as_secs_f64();
        range_into_file(self.bytes, if is_far { self.ceiling } else { allowed }, is_far, PART)
    }

    fn busy(&self) -> usize {
        self.connections.iter().filter(|connection| connection.is_busy).count()
    }

    /// Begins requests where fewer than `allowed` are under way.
    #[expect(clippy::cast_precision_loss, reason = "bytes of a range")]
    fn begin(&mut self, allowed: usize) {
        while self.busy() < allowed {
            let (range, answer) = match self.transfer {
                Transfer::Download => (self.remaining.begin(self.range(allowed)), self.link.round_trip),
                Transfer::Upload { .. } => (self.remaining.begin_exactly(PART), 0.0),
            };
            let Some(range) = range else {
                self.all_begun = true;
                return;
            };
            let idle = self.connections.iter_mut().find(|connection| !connection.is_busy);
            let (waits, window) = match &idle {
                Some(idle) => (answer, idle.window),
                None => (answer + 3.0 * self.link.round_trip, FIRST_WINDOW),
            };
            let len = (range.end - range.start) as f64;
            let request =
                Connection { waits, window, len, rest: len, is_busy: true, ..Connection::default() };
            match idle {
                Some(idle) => *idle = request,
                None => self.connections.push(request),
            }
        }
    }

    fn refuse(&mut self) {
        let refused = self.busy().saturating_sub(self.link.taken);
        let busy = self.connections.iter_mut().rev().filter(|connection| connection.is_busy);
        for connection in busy.take(refused).filter(|connection| connection.waits <= 0.0) {
            connection.waits = BACKOFF;
            self.progress.refused += 1;
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "bytes of a range")]
    fn pass(&mut self, seconds: f64) {
        let Link { round_trip, each, all, .. } = self.link;
        let wanted = |connection: &Connection| {
            let moves = connection.is_busy && connection.waits <= 0.0;
            if moves { each.min(connection.window / round_trip) } else { 0.0 }
        };
        let share = (all / self.connections.iter().map(wanted).sum::<f64>().max(1.0)).min(1.0);
        for connection in self.connections.iter_mut().filter(|connection| connection.is_busy) {
            if connection.waits > 0.0 {
                connection.waits -= seconds;
                connection.since = self.now + seconds;
                if connection.waits > 0.0 || connection.rest > 0.0 {
                    continue;
                }
            }
            let bytes = (wanted(connection) * share * seconds).min(connection.rest);
            connection.window = (connection.window * (1.0 + seconds / round_trip)).min(each);
            let is_answered = connection.rest <= 0.0;
            connection.rest -= bytes;
            let (arrived, buffers) = match self.transfer {
                Transfer::Download => (bytes, 0.0),
                Transfer::Upload { buffers } => (if is_answered { connection.len } else { 0.0 }, buffers),
            };
            self.progress.bytes += arrived;
            let left = connection.len - connection.rest + buffers;
            if !connection.is_known && left >= BRISK_BYTES as f64 {
                connection.is_known = true;
                let is_brisk = self.now - connection.since <= BRISK_TIME.as_secs_f64();
                self.progress.brisk += usize::from(is_brisk);
            }
            if connection.rest <= 0.0 {
                match self.transfer {
                    Transfer::Upload { .. } if !is_answered => connection.waits = round_trip,
                    _ => {
                        connection.is_busy = false;
                        self.progress.ended += 1;
                        self.remaining.end();
                    }
                }
            }
        }
        self.now += seconds;
    }
}

/// How many requests there may be.
enum Limit {
    Fixed(usize),
    Adaptive(Controller),
}

/// Transfers all bytes, and returns how many moved a second.
fn rate(link: &Link, transfer: Transfer, bytes: u64, mut limit: Limit) -> f64 {
    let (mut allowed, ceiling) = match &limit {
        Limit::Fixed(number) => (*number, *number),
        Limit::Adaptive(_) => (JOBS_AT_START.get(), MAX_JOBS.get()),
    };
    let tick = CONCURRENCY_TICK.as_secs_f64();
    let step = tick / (tick / link.round_trip * 4.0).ceil().clamp(2.0, 10.0);
    let mut simulation = Simulation::new(*link, transfer, bytes, ceiling);
    let (mut before, mut looked) = (Progress::default(), 0.0);
    loop {
        simulation.begin(allowed);
        if simulation.all_begun && simulation.busy() == 0 {
            return simulation.progress.bytes / simulation.now;
        }
        simulation.refuse();
        simulation.pass(step);
        let Limit::Adaptive(controller) = &mut limit else { continue };
        if simulation.now - looked < tick {
            continue;
        }
        let now = simulation.progress;
        let progress = Progress {
            seconds: simulation.now - looked,
            bytes: now.bytes - before.bytes,
            ended: now.ended - before.ended,
            refused: now.refused - before.refused,
            brisk: now.brisk - before.brisk,
        };
        let seen = match (progress.refused > 0, simulation.all_begun) {
            (true, _) => Observation::Overloaded(progress),
            (false, true) => Observation::Unclear,
            (false, false) => Observation::Full(progress),
        };
        allowed = controller.observe(seen, Duration::from_secs_f64(link.round_trip));
        (before, looked) = (now, simulation.now);
    }
}

/// The share of the best fixed number's rate.
fn share(link: &Link, transfer: Transfer, bytes: u64) -> f64 {
    let best = [8, 16, 20, 32, 48, 64]
        .map(|number| rate(link, transfer, bytes, Limit::Fixed(number)))
        .into_iter()
        .fold(0.0, f64::max);
    let far = match transfer {
        Transfer::Download => MAX_JOBS,
        Transfer::Upload { .. } => UPLOAD_JOBS_AT_START_FAR,
    };
    let controller = Controller::new(JOBS_AT_START.get(), far.get(), MAX_JOBS.get());
    let share = rate(link, transfer, bytes, Limit::Adaptive(controller)) / best;
    println!("{}, {transfer:?}, {} MiB: {share:.3} of {:.0} MB/s", link.name, bytes / MIB, best / MB);
    share
}

#[test]
fn on_each_link_it_reaches_nearly_what_the_best_fixed_number_does() {
    // Of 256 MiB, 1 GiB and 8 GiB. A short transfer is over before a number was found by measuring.
    let enough = |link: &Link| match link.name {
        "25 Gbit/s, 1 ms, 90 MB/s each" => [0.48, 0.48, 0.84],
        // What is refused first waits a second.
        "a service that takes 20 at once" => [0.25, 0.6, 0.75],
        _ => [0.95, 0.85, 0.95],
    };
    for link in &LINKS {
        let buffers = [0.1, 6.0].map(|mib| Transfer::Upload { buffers: mib * 1_048_576.0 });
        for transfer in [Transfer::Download, buffers[0], buffers[1]] {
            for (mib, enough) in [256, 1024, 8192].into_iter().zip(enough(link)) {
                // That would take long.
                let bytes = if link.all < 10.0 * MB { mib / 16 } else { mib } * MIB;
                let share = share(link, transfer, bytes);
                assert!(share >= enough, "{}, {transfer:?}, {mib} MiB: {share:.3}", link.name);
            }
        }
    }
}
