//! Photos a second from a folder, without training:
//! `cargo run --release -p datasets --example decode_speed -- FOLDER [THREADS]`
#![allow(clippy::print_stdout)] // a program

use std::time::Instant;

use datasets::{PhotoFolder, PhotoStream, StreamConfig, StreamPosition};

const BATCHES: usize = 250;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let root = arguments.next().ok_or("usage: decode_speed FOLDER [THREADS]")?;
    let decode_threads = arguments.next().map_or(Ok(2), |threads| threads.parse())?;
    let config = StreamConfig {
        seed: 1,
        crop: 256,
        batch: 4,
        augment: true,
        decode_threads,
        start: StreamPosition::default(),
    };
    let mut stream = PhotoStream::new(PhotoFolder::scan(&root)?, config)?;
    stream.next_batch()?; // file cache and threads are warm
    let start = Instant::now();
    for _ in 0..BATCHES {
        stream.next_batch()?;
    }
    let rate = (BATCHES * config.batch) as f64 / start.elapsed().as_secs_f64();
    println!("{rate:.0} photos/s on {decode_threads} threads, {} skipped: {root}", stream.skipped().len());
    Ok(())
}
